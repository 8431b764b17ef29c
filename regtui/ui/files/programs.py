"""The person's pager and editor over a copy of a file: nothing that the file says may make them run anything."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGERS: Final = ("less", "more")
_EDITORS: Final = ("editor", "vi", "nano")
_VIMS: Final = ("vim", "nvim", "gvim")
_LESS: Final = ("LESSOPEN", "LESSCLOSE", "LESS")


def program(kind: Literal["pager", "editor"], environ: Mapping[str, str] | None = None) -> list[str] | None:
    """The command of $PAGER or $VISUAL and $EDITOR, else what is installed; None when there is none."""
    environ = os.environ if environ is None else environ
    names, known = (("PAGER",), _PAGERS) if kind == "pager" else (("VISUAL", "EDITOR"), _EDITORS)
    for name in names:
        words = shlex.split(environ.get(name, ""))
        if words and shutil.which(words[0]) is not None:
            return words
    found = next((each for each in known if shutil.which(each) is not None), None)
    return None if found is None else [found]


def run_over_copy(command: list[str], name: str, data: bytes) -> SafeText | None:
    """Run a program over a private copy that is removed afterwards. A sentence when that did not work.

    less filters files through whatever LESSOPEN names, and Vim obeys lines inside of them: both are switched off.
    """
    environ = {key: value for key, value in os.environ.items() if key not in _LESS} | {"LESSSECURE": "1"}
    if _is_vim(command[0]):
        command = [*command, "--cmd", "set nomodeline"]
    with tempfile.TemporaryDirectory(prefix="regtui-") as folder:
        copy = Path(folder) / _plain_name(name)
        copy.write_bytes(data)
        copy.chmod(0o400)
        try:
            done = subprocess.run([*command, str(copy)], env=environ, check=False)  # noqa: S603 - the person's own choice
        except OSError as error:
            return safe(f"{command[0]} could not be started: {error.strerror}.")
    return None if done.returncode == 0 else safe(f"{command[0]} ended with code {done.returncode}.")


def _is_vim(command: str) -> bool:
    """Whether a name, `editor` for example, leads to a Vim."""
    found = shutil.which(command)
    return found is not None and Path(found).resolve().name.startswith(_VIMS)


def _plain_name(name: str) -> str:
    """A file name that no program takes for an option or a path."""
    kept = "".join(character if character.isalnum() or character in "._-" else "_" for character in name)
    return kept.lstrip(".-")[-80:] or "file"
