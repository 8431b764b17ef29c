"""Themes: the shipped ones work and can be read, bad ones give a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App
from textual.color import Color

from regtui.ui.theming import InvalidTheme, load_themes, read_theme, theme_folders

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "themes").glob("*.toml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
async def test_a_shipped_theme_can_be_chosen_and_read(file: Path) -> None:
    theme = read_theme(file)
    assert theme.name == file.stem
    app: App[None] = App()
    app.register_theme(theme)
    async with app.run_test() as pilot:
        app.theme = theme.name
        await pilot.pause()
    if theme.ansi:
        return  # its colours are the terminal's: nobody can compute how they look
    surface = Color.parse(theme.surface or "")
    for role in ("foreground", "accent", "warning", "error", "success"):
        text = Color.parse(getattr(theme, role))
        assert contrast(text, surface) >= 4.5, role


def contrast(one: Color, other: Color) -> float:
    """WCAG's contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    parts = [part / 255 for part in colour.rgb]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_there_are_some_and_all_load() -> None:
    themes, problems = load_themes(theme_folders()[:1])
    assert len(themes) == len(SHIPPED) >= 6
    assert problems == []


@pytest.mark.parametrize(
    "text",
    ['name = "x"', 'name = "x"\nprimary = "no colour"', 'name = "x"\nprimary = "red"\nfoo = 1', "name = [", "\x00",
     'name = "x"\nprimary = "red"\ndark = "yes"', 'name = "a b"\nprimary = "red"', "primary = 3\nname = 'x'",
     'name = "x"\nprimary = "red"\nvariables = 3', 'name = "x"\nprimary = "red"\n[variables]\nnonsense = "red"',
     'name = "x"\nprimary = "red"\n[variables]\nborder = "nonsense"'],
)  # fmt: skip
def test_a_bad_file_gives_a_sentence_and_the_rest_loads(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    (tmp_path / "good.toml").write_text('name = "good"\nprimary = "#123456"\n')
    themes, problems = load_themes([tmp_path])
    assert [theme.name for theme in themes] == ["good"]
    assert len(problems) == 1
    assert "bad.toml" in problems[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_a_theme_or_a_sentence(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "any.toml"
    file.write_bytes(raw)
    with pytest.raises(InvalidTheme):
        read_theme(file)
