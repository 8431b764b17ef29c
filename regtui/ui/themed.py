"""The app's part in themes: which one stands, choosing another, and files that change while it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from textual.app import App
from textual.theme import Theme

from regtui.storage.errors import StorageError
from regtui.storage.settings_file import SettingsFile
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.themes import ThemesScreen
from regtui.ui.theming import default_theme, load_themes, own_theme_folder, stamp, theme_folders

if TYPE_CHECKING:
    from regtui.session import Session

_LOOK: Final = 1.0
"""Seconds between two looks at the user's theme files: a stat each, and nothing is drawn when nothing changed."""


class Themed(App[Any]):
    """Mixin for the app: registers the themes, and keeps what the user chooses."""

    session: Session

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """A value for every variable: a theme of the terminal's own colours defines fewer than style sheets use."""
        return Theme(name="defaults", primary="ansi_blue").to_color_system().generate() | {
            "panel-lighten-2": "ansi_bright_black",
            "ansi-background": "ansi_default",
            "ansi-foreground": "ansi_default",
        }

    def start_themes(self) -> list[SafeText]:
        """Register every theme and put one on; what was wrong, in sentences."""
        problems = self._register_themes()
        wanted = self.session.settings.theme or default_theme(os.environ, self.console.color_system)
        if wanted in self.available_themes:
            self.theme = wanted
        else:
            problems.append(safe(f"There is no theme called {wanted}; the default is used.", 200))
            self.theme = default_theme(os.environ, self.console.color_system)
        self._stamp = stamp(own_theme_folder())
        if own_theme_folder().is_dir():
            self.set_interval(_LOOK, self._look_at_themes)
        return problems

    def search_themes(self) -> None:
        """What Textual's palette calls: open the list of themes, ours and the user's first, then Textual's."""
        self.push_screen(ThemesScreen(self._listed(), self.theme), self._keep_theme)

    def _listed(self) -> list[Theme]:
        own = [theme.name for theme in load_themes(theme_folders())[0]]
        known = self.available_themes
        rest = sorted(name for name in known if name not in own)
        return [known[name] for name in (*own, *rest)]

    def _keep_theme(self, name: str | None) -> None:
        if not name:
            return
        try:
            SettingsFile(self.session.options.config).set_theme(name)
        except StorageError as error:
            self.notify(f"{safe(str(error), 400)} The theme holds for this run.", severity="warning", markup=False)

    def _register_themes(self) -> list[SafeText]:
        themes, problems = load_themes(theme_folders())
        for theme in themes:
            self.register_theme(theme)
        return problems

    def _look_at_themes(self) -> None:
        now = stamp(own_theme_folder())
        if now == self._stamp:
            return
        self._stamp = now
        for problem in self._register_themes():
            self.notify(problem, severity="warning", markup=False, timeout=10)
        # Textual draws a theme anew only when the name changes, and its file may have new colours under the same one.
        current = self.theme
        self.theme = next(name for name in self.available_themes if name != current)
        self.theme = current
