"""The form of a registry: what it writes, what it tells, that a sign-in counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import Input, Static

from regtui.storage.paths import settings_path
from regtui.storage.settings import Settings
from regtui.ui._textual import screen_text, settled
from regtui.ui.screens.registry_form import RegistryForm
from regtui.ui.widgets.tick import Tick
from tests.fakes.serve import Reply
from tests.fakes.token_server import JSON, BasicRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

    Explore = Callable[..., RegtuiApp]


async def fill(pilot: Pilot[Any], **values: str | bool) -> RegistryForm:
    """The form on the screen with these fields filled in."""
    form = pilot.app.screen
    assert isinstance(form, RegistryForm)
    for key, value in values.items():
        if isinstance(value, bool):
            form.query_one(f"#{key}", Tick).value = value
        else:
            form.query_one(f"#{key}", Input).value = value
    await settled(pilot)
    return form


def told(form: RegistryForm) -> str:
    """What the form said last."""
    return str(form.query_one("#told", Static).content)


async def test_a_registry_is_added_and_its_comments_stay(explore: Explore) -> None:
    path = settings_path()
    path.parent.mkdir(parents=True)
    path.write_text('# mine\ntheme = "regtui-light"  # bright\n')
    app = explore(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        await fill(
            pilot, host="registry.test:5000", kind="harbor", writable=True, protected="v*, prod", repositories="a/b"
        )
        assert "[X] allow changes" in screen_text(app)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "registry.test:5000" in screen_text(app)
    assert path.read_text().startswith('# mine\ntheme = "regtui-light"  # bright\n')
    saved = Settings.load().registry("registry.test:5000")
    assert (saved.kind, saved.writable, saved.protected, saved.repositories) == (
        "harbor",
        True,
        ("v*", "prod"),
        ("a/b",),
    )
    assert saved.username is None


async def test_a_mistake_is_told_and_nothing_is_written(explore: Explore) -> None:
    app = explore(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        form = await fill(pilot, host="https://registry.test/")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert app.screen is form
        assert "is no host" in told(form)
        await pilot.press("escape")
    assert not settings_path().exists()


async def test_signing_in_is_checked_and_counts_at_once(explore: Explore) -> None:
    def answer(_: Any) -> Reply:
        return Reply(200, (JSON,), b'{"repositories":["team/app"]}')

    async with BasicRegistry(answer) as registry:
        app = explore(None)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            await pilot.press("n")
            await settled(pilot)
            form = await fill(pilot, host=registry.host, plain_http=True, username="alice", password="wrong")
            form.query_one("#sign_in").press()
            await settled(pilot, lambda: "Signing in to" not in told(form) and told(form))
            assert "not accept" in told(form)
            assert form.query_one("#password", Input).value == "wrong"
            assert form.query_one("#password", Input).value == "wrong"
            await fill(pilot, password="wonderland")
            form.query_one("#sign_in").press()
            await settled(pilot, lambda: "Signed in" in told(form))
            assert form.query_one("#password", Input).value == ""
            form.query_one("#test").press()
            await settled(pilot, lambda: "answers" in told(form))
            assert "signed in as alice" in told(form)
            await pilot.press("ctrl+s")
            await settled(pilot)
    assert "wonderland" not in settings_path().read_text()


async def test_a_registry_is_taken_out_again(explore: Explore) -> None:
    path = settings_path()
    path.parent.mkdir(parents=True)
    path.write_text('[registries."registry.test"]\nwritable = true\n')
    app = explore(None)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("comma")
        await settled(pilot)
        form = app.screen
        assert form.query_one("#host", Input).value == "registry.test"
        form.query_one("#remove").press()
        await settled(pilot)
        assert "registry.test" not in screen_text(app)
    assert "registry.test" not in path.read_text()
