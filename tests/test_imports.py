"""Nothing heavy is loaded before it is needed: each case runs in a process of its own and tells what it loaded."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import regtui

ROOT = Path(__file__).resolve().parents[1]
SCREEN = {"textual", "rich"}
NETWORK = {"httpx", "httpx_aiohttp", "aiohttp", "anyio"}
KEYRING = {"keyring", "secretstorage", "jeepney"}
LATE = {"cryptography", "sigstore", "boto3", "botocore", "google", "azure", "pydantic", "requests"}

# Runs a command line and ends by writing what it loaded, whatever the exit code.
COMMAND = """
import sys
report, *sys.argv[1:] = sys.argv[1:]
from regtui.__main__ import main
code = main()
modules = sorted(sys.modules)
import json
with open(report, "w") as file:
    json.dump({"code": code, "modules": modules}, file)
"""
# Imports modules and tells what that loaded, and how many TLS contexts stand.
IMPORTS = """
import gc, importlib, json, sys
report, *names = sys.argv[1:]
for name in names:
    importlib.import_module(name)
ssl = sys.modules.get("ssl")
contexts = sum(isinstance(found, ssl.SSLContext) for found in gc.get_objects()) if ssl else 0
with open(report, "w") as file:
    json.dump({"code": 0, "modules": sorted(sys.modules), "contexts": contexts}, file)
"""


@dataclass(frozen=True)
class Ran:
    """What one process did."""

    code: int
    out: str
    err: str
    modules: frozenset[str]
    contexts: int = 0

    def loaded(self, names: set[str]) -> set[str]:
        """Which of these top-level packages it loaded."""
        return {name.partition(".")[0] for name in self.modules} & names


@pytest.fixture
def run(tmp_path: Path):
    """Run a script with arguments, away from this user's settings, credentials and caches."""

    def start(script: str, *arguments: str) -> Ran:
        report = tmp_path / "report.json"
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG", "LC_ALL") if name in os.environ}
        own = {name: str(tmp_path / name.lower()) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        done = subprocess.run(
            [sys.executable, "-c", script, str(report), *arguments],
            cwd=ROOT,
            env=kept | own | {"DOCKER_CONFIG": str(tmp_path / "docker")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert report.exists(), done.stderr
        told = json.loads(report.read_text())
        return Ran(told["code"], done.stdout, done.stderr, frozenset(told["modules"]), told.get("contexts", 0))

    return start


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An OCI layout with one image, tagged `app:1`."""
    folder = tmp_path / "layout"
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: object, media_type: str) -> dict[str, object]:
        raw = json.dumps(content).encode()
        encoded = hashlib.sha256(raw).hexdigest()
        (blobs / encoded).write_bytes(raw)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(raw)}

    about = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    config = put(about, "application/vnd.oci.image.config.v1+json")
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = put({"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": []}, manifest_type)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "app:1"}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    return folder


@pytest.fixture
def dead_port():
    """A port of this machine that is taken and answers nobody."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_the_version_is_told_before_anything_is_imported(run) -> None:
    ran = run(COMMAND, "--version")
    assert ran.code == 0
    assert ran.out.strip() == f"regtui {regtui.__version__}"
    own = {name for name in ran.modules if name.startswith("regtui")}
    assert own == {"regtui", "regtui.__main__"}
    assert ran.loaded({"argparse", "asyncio", "importlib.metadata", "re"} - loaded_by_python()) == set()
    assert ran.loaded(SCREEN | NETWORK | KEYRING | LATE) == set()


def test_help_loads_no_screen_no_network_no_keyring(run) -> None:
    ran = run(COMMAND, "--help")
    assert ran.code == 0
    assert ran.loaded(SCREEN | NETWORK | KEYRING | LATE) == set()


def test_tags_of_a_layout_loads_no_screen_no_network_no_keyring(run, layout: Path) -> None:
    ran = run(COMMAND, "tags", str(layout))
    assert (ran.code, ran.err) == (0, "")
    assert "1" in ran.out.split()
    assert ran.loaded(SCREEN | NETWORK | KEYRING | LATE) == set()


def test_inspect_of_a_layout_loads_no_screen_no_network_no_keyring(run, layout: Path) -> None:
    ran = run(COMMAND, "inspect", f"{layout}:app:1", "--json")
    assert ran.code == 0, ran.err
    assert ran.loaded(SCREEN | NETWORK | KEYRING | LATE) == set()


def test_tags_of_a_dead_registry_loads_no_screen_no_keyring(run, dead_port: int) -> None:
    ran = run(COMMAND, "tags", f"127.0.0.1:{dead_port}/app")
    assert ran.code == 1
    assert ran.err.startswith("regtui: ")
    assert ran.loaded({"httpx"}) == {"httpx"}, "it was never asked"
    assert ran.loaded(SCREEN | KEYRING | LATE) == set()


def test_the_explorer_without_a_terminal_loads_no_screen(run, layout: Path) -> None:
    ran = run(COMMAND, str(layout))
    assert ran.code == 2
    assert ran.loaded(SCREEN | NETWORK | KEYRING | LATE) == set()


def test_the_app_is_imported_without_the_network(run) -> None:
    ran = run(IMPORTS, "regtui.ui.app")
    assert ran.loaded(SCREEN) == SCREEN
    assert ran.loaded(NETWORK | KEYRING | LATE) == set()
    assert ran.contexts == 0, "a TLS context costs 18 ms: it is made with the first connection"


def modules_of(*folders: str) -> list[str]:
    """The modules of these folders of the package."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / "regtui" / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("oci", SCREEN | NETWORK | KEYRING | LATE | {"asyncio"}),
        ("storage", SCREEN | NETWORK | KEYRING | LATE),
        ("credentials", SCREEN | NETWORK | KEYRING | LATE),
        ("transport", SCREEN | KEYRING | LATE),
        ("registries", SCREEN | KEYRING | LATE),
        ("contents", SCREEN | NETWORK | KEYRING | LATE),
        ("operations", SCREEN | NETWORK | KEYRING | LATE),
        ("trust", SCREEN | NETWORK | KEYRING | LATE),
        ("demo", SCREEN | NETWORK | KEYRING | LATE),
        ("session", SCREEN | NETWORK | KEYRING | LATE),
        ("cli", SCREEN | NETWORK | KEYRING | LATE),
        ("ui", NETWORK | KEYRING | LATE),
    ],
)
def test_a_folder_loads_only_what_it_stands_on(run, folder: str, never: set[str]) -> None:
    ran = run(IMPORTS, *modules_of(folder))
    assert ran.loaded(never) == set()


def loaded_by_python() -> set[str]:
    """What an interpreter of this environment loads by itself (site, .pth files)."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in told.stdout.split()} | set(told.stdout.split())
