"""The settings of one registry as a form: add it, test it, sign in, allow changes, protect tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from regtui.credentials.values import Credential, Secret
from regtui.oci import RegtuiError
from regtui.storage.settings_file import SettingsFile
from regtui.ui.safe_text import safe
from regtui.ui.widgets.tick import Tick

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from regtui.session import Session
    from regtui.storage.settings import RegistrySettings


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a registry's table, as the form shows it."""

    key: str
    label: str
    help: str = ""


TEXTS: Final = (
    Field("kind", "kind", "found out when empty: harbor, ecr, acr, gitlab, …"),
    Field("username", "account", "who to sign in as"),
    Field("api", "API host", "only where the product's own API answers elsewhere"),
)
LISTS: Final = (
    Field("protected", "protected", "tags that ask for more before they change: latest, prod*"),
    Field("repositories", "repositories", "to list where the registry can't: team/app, team/db"),
    Field("namespaces", "namespaces", "to look into where the registry wants one"),
)
FLAGS: Final = (
    Field("writable", "allow changes"),
    Field("production", "production: every change asks for the name"),
    Field("plain_http", "plain HTTP"),
    Field("insecure", "do not check the certificate"),
)


class RegistryForm(ModalScreen[str]):
    """One registry. Gives the host that was saved, or the empty text. Nothing is written before Save."""

    DEFAULT_CSS = """
    RegistryForm { align: center middle; }
    RegistryForm > VerticalScroll {
        width: 90%; max-width: 100; height: auto; max-height: 95%; border: round $accent; background: $surface;
        padding: 0 1;
    }
    RegistryForm Horizontal { height: auto; }
    RegistryForm .label { width: 15; color: $text-muted; }
    RegistryForm Input { width: 1fr; }
    RegistryForm Tick { width: 1fr; }
    RegistryForm Button { margin: 0 2 0 0; }
    RegistryForm #told { min-height: 2; color: $text-muted; }
    RegistryForm #told.-error { color: $text-error; }
    RegistryForm #told.-success { color: $text-success; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Cancel", show=False),
        Binding("ctrl+s", "save", "Save", show=False),
    ]

    def __init__(self, session: Session, host: str) -> None:
        super().__init__()
        self._session = session
        self._host = host
        self._saved = ""

    def compose(self) -> ComposeResult:
        """Host, texts, lists, flags, password, buttons, and what came of them."""
        known = self._session.settings.registry(self._host)
        with VerticalScroll() as form:
            form.border_title = "Registry"
            form.border_subtitle = "ctrl+s saves · escape leaves"
            yield from _row("host", "host", "as in image references: registry.example.com:5000", self._host)
            for field in (*TEXTS, *LISTS):
                yield from _row(field.key, field.label, field.help, _shown(known, field.key))
            for field in FLAGS:
                yield Tick(field.label, getattr(known, field.key), id=field.key, compact=True)
            yield from _row("password", "password", "or token; kept in the system's keyring only", "", True)
            with Horizontal():
                for name, label in (("save", "Save"), ("test", "Test"), ("sign_in", "Sign in"), ("remove", "Remove")):
                    yield Button(label, id=name, compact=True)
            yield Static("", id="told")

    def on_mount(self) -> None:
        """Start at the first field that wants filling."""
        for entry in self.query(Input):
            entry.cursor_blink = False
        self.query_one("#kind" if self._host else "#host").focus()

    # what the buttons do

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Write the settings, and go back to the explorer."""
        if self._write():
            self.dismiss(self._saved)

    @on(Button.Pressed, "#remove")
    def _remove(self) -> None:
        """Take the registry out of the settings; nothing at the registry changes."""
        try:
            was_there = self._file().remove_registry(self._text("host"))
        except RegtuiError as error:
            self._tell(str(error), "error")
            return
        if not was_there:
            self._tell("It is not in the settings, so there is nothing to remove.", "error")
            return
        self.dismiss(self._text("host"))

    @on(Button.Pressed, "#test")
    @work(exclusive=True, group="form", exit_on_error=False)
    async def _test(self) -> None:
        """Save, then ask the registry whether it answers and who we are there."""
        if not self._write():
            return
        host = self._saved
        self._tell(f"Asking {host} …")
        try:
            await self._session.settings_changed(host)
            registry = await self._session.registry(host)
            await registry.check()
        except RegtuiError as error:
            self._tell(str(error), "error")
            return
        who = registry.identity().name
        self._tell(f"{host} answers ({registry.kind}); {f'signed in as {who}' if who else 'anonymous'}.", "success")

    @on(Button.Pressed, "#sign_in")
    @work(exclusive=True, group="form", exit_on_error=False)
    async def _sign_in(self) -> None:
        """Check account and password against the registry, then keep them in the keyring."""
        user, password = self._text("username"), self.query_one("#password", Input).value
        if not user or not password:
            self._tell("Signing in needs an account and a password or token.", "error")
            return
        if not self._write():
            return
        host = self._saved
        self._tell(f"Signing in to {host} as {user} …")
        try:
            await self._session.settings_changed(host)
            not_kept = await self._session.sign_in(host, Credential(user, Secret(password), source="explorer"))
        except RegtuiError as error:
            self._tell(str(error), "error")
            return
        self.query_one("#password", Input).value = ""
        self._tell(f"Signed in to {host} as {user}. {_kept(not_kept)}", "success")

    # the rest

    def _write(self) -> bool:
        host = self._text("host")
        values: dict[str, bool | str | list[str] | None] = {field.key: self._text(field.key) or None for field in TEXTS}
        values |= {field.key: self._list(field.key) for field in LISTS}
        values |= {field.key: self.query_one(f"#{field.key}", Tick).value or None for field in FLAGS}
        try:
            self._file().put_registry(host, **values)
        except RegtuiError as error:
            self._tell(str(error), "error")
            return False
        self._saved = host
        return True

    def _file(self) -> SettingsFile:
        return SettingsFile(self._session.options.config)

    def _text(self, key: str) -> str:
        return self.query_one(f"#{key}", Input).value.strip()

    def _list(self, key: str) -> list[str] | None:
        found = [part.strip() for part in self._text(key).split(",") if part.strip()]
        known = self._session.settings
        if key == "protected" and tuple(found) == known.protected:
            return None  # what holds for all registries is not written again for this one
        return found or None

    def _tell(self, text: str, kind: str = "") -> None:
        told = self.query_one("#told", Static)
        told.update(Content(safe(text, 600)))
        told.set_class(kind == "error", "-error")
        told.set_class(kind == "success", "-success")


def _row(key: str, label: str, help_text: str, value: str, hidden: bool = False) -> list[Widget]:
    entry = Input(value, placeholder=help_text, password=hidden, id=key, compact=True)
    return [Horizontal(Static(Content(label), classes="label"), entry)]


def _kept(why_not: str | None) -> str:
    return "The keyring has it from now on." if why_not is None else f"It holds for this run only. {why_not}"


def _shown(known: RegistrySettings, key: str) -> str:
    value = getattr(known, key)
    return ", ".join(value) if isinstance(value, tuple) else value or ""
