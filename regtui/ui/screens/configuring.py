"""The explorer's way into the settings of a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from regtui.ui.screens.browsing import Browsing

if TYPE_CHECKING:
    from regtui.ui.panes import RegistryRow


class Configuring(Browsing):
    """Add a registry, and change what the settings say about one."""

    def action_edit_registry(self) -> None:
        """The registry under the cursor, or the one that is open."""
        row: RegistryRow | None = self.registries.current if self.focused is self.registries else None
        host = row.known.host if row is not None else self.host
        if host is not None and host.startswith("/"):
            self.notify("A layout or archive on this disk has no settings.", severity="warning", markup=False)
            return
        self._open_form(host or "")

    def action_add_registry(self) -> None:
        """A new one."""
        self._open_form("")

    def _open_form(self, host: str) -> None:
        from regtui.ui.screens.registry_form import RegistryForm

        self.app.push_screen(RegistryForm(self.session, host), self._registry_saved)

    def _registry_saved(self, host: str | None) -> None:
        if host:
            self._open_anew(host)

    @work(exclusive=True, group="configuring", exit_on_error=False)
    async def _open_anew(self, host: str) -> None:
        await self.session.settings_changed(host)
        self.load_registries()
        if host == self.host:
            self.open_host(host)
