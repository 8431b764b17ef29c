"""Reading the settings: what is right counts, what is wrong is one clear problem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.storage.errors import StorageError
from regtui.storage.paths import settings_path
from regtui.storage.settings import DEFAULT_PROTECTED, RegistrySettings, Settings
from regtui.storage.settings_file import default_text
from regtui.storage.settings_reading import parse_settings
from regtui.storage.settings_values import REGISTRY, TOP

HERE = Path("/etc/regtui/settings.toml")


def parse(text: str) -> Settings:
    return parse_settings(Settings, text.encode(), HERE)


def test_without_a_file_the_defaults_hold() -> None:
    assert Settings.load() == Settings()
    assert Settings.load().registry("GHCR.io") == RegistrySettings("GHCR.io")
    assert not Settings().registry("ghcr.io").writable


def test_everything_at_once() -> None:
    settings = parse("""
        theme = "nord"
        ssh_profile = "off"
        cache_size = "2 GiB"
        journal_days = 7
        protected = ["main"]
        mouse = false
        animation = true
        [keymap]
        refresh = "ctrl+r"
        "pane.enter" = ["l", "right"]
        [registries."Registry.Example.com:5000"]
        kind = "harbor"
        writable = true
        plain_http = true
        insecure = true
        ca_file = "ca.pem"
        production = true
        repositories = ["a/b"]
        namespaces = ["team"]
        username = "robot$me"
        [registries."registry-1.docker.io"]
        protected = []
    """)
    assert settings.problems == ()
    assert (settings.theme, settings.ssh_profile, settings.cache_size) == ("nord", "off", 2 << 30)
    assert (settings.journal_days, settings.mouse, settings.animation) == (7, False, True)
    assert settings.keymap == {"refresh": "ctrl+r", "pane.enter": "l,right"}
    found = settings.registry("registry.example.com:5000")
    assert found == RegistrySettings(
        "registry.example.com:5000",
        "harbor",
        writable=True,
        plain_http=True,
        insecure=True,
        ca_file="/etc/regtui/ca.pem",
        production=True,
        protected=("main",),
        repositories=("a/b",),
        namespaces=("team",),
        username="robot$me",
    )
    assert settings.registry("docker.io").protected == ()
    assert settings.registry("other").protected == ("main",)
    assert settings.usernames == {"registry.example.com:5000": "robot$me"}
    assert [known.host for known in settings.registries] == ["registry.example.com:5000", "docker.io"]


def test_protection_names_the_pattern() -> None:
    registry = RegistrySettings("ghcr.io", protected=("latest", "v?.*"))
    assert registry.protection("v1.2") == "v?.*"
    assert registry.protection("latest") == "latest"
    assert registry.protection("Latest") is None
    assert RegistrySettings("x", protected=DEFAULT_PROTECTED).protection("production") == "prod*"


@pytest.mark.parametrize(
    ("text", "line", "key", "part"),
    [
        ("\nmouse = 1", 2, "mouse", "true or false, not a number"),
        ("theme = true", 1, "theme", "must be text in quotes, not true or false"),
        ("thme = 'x'", 1, "thme", "theme is one"),
        ("zzzzz = 'x'", 1, "zzzzz", "is no setting"),
        ("cache_size = 'lots'", 1, "cache_size", "must be a size"),
        ("cache_size = -1", 1, "cache_size", "between"),
        ("cache_size = true", 1, "cache_size", "must be a size"),
        ("journal_days = 0", 1, "journal_days", "days"),
        ("ssh_profile = 'maybe'", 1, "ssh_profile", '"auto"'),
        ("registries = 3", 1, "registries", "must be a table"),
        ("[[registries]]\nhost = 'x'", 1, "registries", 'write [registries."registry.example.com"]'),
        ("[registries]\n'a.b' = 1", 2, 'registries."a.b"', "must be a table"),
        ("[registries.ghcr.io]\nwritable = true", 1, "registries.ghcr", "needs quotes"),
        ("[registries.'https://x.y']", 1, 'registries."https://x.y"', "without https://"),
        ("[registries.x]\n[registries.X]\n", 2, 'registries."X"', "names x again"),
        ("[registries.x]\nca_file = ''", 2, "registries.x.ca_file", "not empty"),
        ("[registries.x]\nrepositories = 'a'", 2, "registries.x.repositories", "must be a list"),
        ("[registries.x]\nrepositories = [1]", 2, "registries.x.repositories", "must be text"),
        ("[registries.x]\nusername = 1979-05-27", 2, "registries.x.username", "not a date"),
        ("keymap = 'vim'", 1, "keymap", "must be a table"),
        ("[keymap]\nrefresh = 3", 2, "keymap.refresh", "must be text"),
        ("[keymap]\npane.enter = 'x'", 2, "keymap.pane", "needs quotes"),
        ("[keymap]\n'Strange Name' = 'x'", 2, 'keymap."Strange Name"', "is no action"),
        ("a = 1\n= 2", 2, None, "is not TOML"),
        ("a = " + "[" * 5000, None, None, "nested too deep"),
        ("a = " + "1" * 5000, None, None, "too long"),
    ],
)
def test_each_mistake_is_one_problem_with_its_place(text: str, line: int | None, key: str | None, part: str) -> None:
    settings = parse(f"{text}\n")
    problems = [problem for problem in settings.problems if problem.key != "a"]
    assert len(problems) == 1
    (problem,) = problems
    assert (problem.line, problem.key) == (line, key)
    assert part in problem.reason
    assert str(problem).startswith(str(HERE))


def test_the_rest_still_counts() -> None:
    settings = parse("theme = 3\nmouse = false\n[registries.x]\nwritable = 'yes'\nkind = 'zot'\n")
    assert len(settings.problems) == 2
    assert not settings.mouse
    assert settings.registry("x").kind == "zot"
    assert not settings.registry("x").writable


def test_a_mistake_never_makes_it_less_careful() -> None:
    assert parse("protected = 'latest'").registry("x").protected == ("*",)
    assert parse("[registries.x]\nprotected = [1]").registry("x").protected == ("*",)
    assert parse("[registries.x]\nproduction = 'no'").registry("x").production
    assert parse("not toml").registry("x").protected == ("*",)
    for name in ("plain_http", "insecure", "writable"):
        assert not getattr(parse(f"[registries.x]\n{name} = 1").registry("x"), name)


@pytest.mark.parametrize("key", ["password", "Token", "auth"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(key: str) -> None:
    settings = parse(f"[registries.x]\n{key} = 'hunter2'\n")
    assert "regtui login" in str(settings.problems[0])
    assert "hunter2" not in repr(settings)


def test_no_problem_repeats_a_value() -> None:
    for name in (*TOP, *REGISTRY):
        for text in (f"{name} = {{x='hunter2'}}", f"[registries.x]\n{name} = {{x='hunter2'}}"):
            settings = parse(text)
            assert settings.problems
            assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("4096", 4096), ("'500 MB'", 500_000_000), ("'1.5GiB'", 3 << 29), ("'7b'", 7), ("'64 KiB'", 65_536)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse(f"cache_size = {text}").cache_size == size


def example_lines() -> list[str]:
    """The lines of the default file that would set something without their "#"."""
    lines = (line.removeprefix("# ") for line in default_text().splitlines() if line.startswith("# "))
    return [line for line in lines if re.fullmatch(r"[a-z_]+ = .*|\[.*\]", line)]


def test_the_default_file_says_the_defaults() -> None:
    assert parse(default_text()) == Settings()
    lines = example_lines()
    top = lines[: lines.index("[keymap]")]
    assert parse("\n".join(line for line in top if not line.startswith("theme"))) == Settings()


def test_the_default_file_names_every_key() -> None:
    lines = example_lines()
    registry, trust = (
        next(n for n, line in enumerate(lines) if line.startswith(table)) for table in ("[registries.", "[trust.")
    )
    named = {line.split(" ")[0] for line in lines[registry + 1 : trust]}
    assert named == set(REGISTRY)
    assert {line.split(" ")[0] for line in lines[: lines.index("[keymap]")]} == set(TOP)


def test_the_examples_are_right() -> None:
    settings = parse("\n".join(example_lines()))
    assert settings.problems == ()
    assert settings.registry("registry.example.com").kind == "harbor"
    assert settings.keymap


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no settings file"):
        Settings.load(tmp_path / "none.toml")
    with pytest.raises(StorageError, match="can't be read"):
        Settings.load(tmp_path)


def test_the_users_own_file_may_be_unreadable(home: Path) -> None:
    settings_path().mkdir(parents=True)
    settings = Settings.load()
    assert "is a directory" in str(settings.problems[0])
    assert settings.registry("x").protected == ("*",)


def test_a_file_that_is_too_large(home: Path) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_bytes(b"#" * (1 << 20) + b"\n")
    assert "more than" in str(Settings.load().problems[0])


def test_a_file_from_windows(home: Path) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_bytes(b'\xef\xbb\xbftheme = "nord"\r\nmouse = 1\r\n')
    settings = Settings.load()
    assert settings.theme == "nord"
    assert settings.problems[0].line == 2


@given(st.binary(max_size=200))
def test_any_bytes_give_settings(raw: bytes) -> None:
    settings = parse_settings(Settings, raw, HERE)
    assert settings.journal_days >= 1
    assert all(str(problem) for problem in settings.problems)


_VALUES = st.sampled_from(
    ["true", "1", "-1", "1.5", "nan", "''", '"x"', "[]", "[1]", "['a']", "{}", "{a=1}", "1979-05-27", "[[]]"]
)
_KEYS = st.sampled_from([*TOP, *REGISTRY, "keymap", "registries", "other", "'q q'", "a.b"])
_HEADERS = st.sampled_from(
    ["", "[registries.x]", "[registries.'a.b']", "[[registries]]", "[keymap]", "[registries.'/']", "[x.y]"]
)


@given(st.lists(st.tuples(_HEADERS, _KEYS, _VALUES), max_size=6))
def test_any_mixture_gives_settings(lines: list[tuple[str, str, str]]) -> None:
    settings = parse("\n".join(f"{header}\n{key} = {value}" for header, key, value in lines))
    assert isinstance(settings, Settings)
    for registry in settings.registries:
        assert isinstance(registry.writable, bool)
        assert all(isinstance(pattern, str) for pattern in registry.protected)


def test_trust_tables_are_kept_as_written() -> None:
    settings = parse('[trust."ghcr.io/acme/*"]\nkeys = ["cosign.pub"]\nunheard-of = 1\n')
    assert settings.problems == ()
    assert settings.trust == {"ghcr.io/acme/*": {"keys": ["cosign.pub"], "unheard-of": 1}}
    assert settings.folder == HERE.parent
    (problem,) = parse("trust = true").problems
    assert problem.reason.startswith("must be a table: write [trust.")


def test_versions_of_releases_are_protected_by_default() -> None:
    settings = RegistrySettings("r.test")
    for tag in ("1.4.0", "v2.0.1", "1.2.3+build.5"):
        assert settings.protection(tag) == "semver:release"
    for tag in ("1.4", "v2", "1.4.0-rc.1", "1.4.0-alpine", "main", "semver", "20260101"):
        assert settings.protection(tag) is None
    assert RegistrySettings("r.test", protected=("v*",)).protection("1.4.0") is None
