"""The models run without Textual: they can be tested, and used in threads, as plain Python."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import regtui.ui.models

ASK = "import sys, importlib; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"


def test_no_model_imports_textual_or_rich() -> None:
    names = [f"regtui.ui.models.{module.name}" for module in pkgutil.iter_modules(regtui.ui.models.__path__)]
    assert len(names) >= 6
    ran = subprocess.run([sys.executable, "-c", ASK, *names], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ran.stdout.split())
    assert set(names) <= loaded
    assert not {name for name in loaded if name.split(".")[0] in {"textual", "rich", "httpx", "aiohttp"}}
