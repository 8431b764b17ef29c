"""The demo stands on the standard library and the nouns alone, so that it starts at once everywhere."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import regtui.demo

PACKAGE = Path(regtui.demo.__file__).parent


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_imports(path):
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            allowed = (
                name.startswith(("regtui.oci", "regtui.demo")) or name.partition(".")[0] in sys.stdlib_module_names
            )
            assert allowed, name
            assert name not in {"random", "gzip", "tarfile", "time", "secrets"}, "not the same bytes everywhere"
