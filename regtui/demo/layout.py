"""The demo on disk: an OCI image layout, with a mark that says whether it is whole and ours to rewrite."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.demo.build import REF_NAME, make_demo
from regtui.demo.errors import DemoError
from regtui.oci import Digest
from regtui.oci.tags import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from regtui.demo.build import Demo

VERSION: Final = 2
"""Goes up whenever the bytes of the demo change."""
TRUST: Final = "demo-trust"

_MARK: Final = "regtui-demo.json"
_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_LARGEST_MARK: Final = 64 << 10
_CHOOSE: Final = "Choose an empty folder, or one that does not exist yet."


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """A demo that is ready. `folder` is the layout, `trust` holds public keys, `size` counts bytes of all blobs.

    `built` is False when a whole demo was there already; it is kept as it is, also when it was changed.
    """

    folder: Path
    trust: Path
    index_digest: str
    repositories: int
    tags: int
    blobs: int
    size: int
    built: bool


def build_demo(folder: Path, progress: Callable[[int, int, str], None] | None = None) -> DemoSummary:
    """Make the demo in a folder, or keep the one that is there. Blocking; about half a second.

    The index.json appears last, so nobody sees names without content; an interrupted demo is made again.
    `progress` hears of (done, total, what comes next). Raises DemoError for a folder with other things in it,
    for an older demo that was changed since, and when the disk refuses.
    """
    try:
        mark = _read_mark(folder)
        if mark is not None and mark.get("complete") is True:
            kept = _keep(folder, mark)
            if kept is not None:
                return kept
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / _MARK, _encode({"demo": VERSION, "complete": False}))
        demo = make_demo(progress)
        return _write_demo(folder, demo)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DemoError(f"The demo can't be written to {str(folder)!a}: {reason}.", hint=_CHOOSE) from error


def _read_mark(folder: Path) -> dict[str, Any] | None:
    """The mark of a demo, whole or not; None for a folder that is empty or not there. Raises DemoError."""
    if folder.is_dir():
        names = set(os.listdir(folder)) - {_beside(_MARK)}
        if not names:
            return None
        if _MARK in names:
            with (folder / _MARK).open("rb") as file:
                raw = file.read(_LARGEST_MARK)
            try:
                mark = json.loads(raw)
            except (ValueError, RecursionError):
                mark = None
            if isinstance(mark, dict):
                return mark
        raise DemoError(f"{str(folder)!a} has other things in it than a demo.", hint=_CHOOSE)
    if folder.exists() or folder.is_symlink():
        raise DemoError(f"{str(folder)!a} is not a folder.", hint=_CHOOSE)
    return None


def _keep(folder: Path, mark: dict[str, Any]) -> DemoSummary | None:
    """The demo that is there, when it needs no work: whole, or changed by its user. None when it is to be made."""
    try:
        found = _summarise(folder, built=False)
    except FileNotFoundError:
        return None
    untouched = found.index_digest == mark.get("index")
    whole = (found.blobs, found.size) == (mark.get("blobs"), mark.get("size")) and all(
        path.is_file() for path in (folder / "oci-layout", found.trust / "README.txt")
    )
    if mark.get("demo") == VERSION:
        return found if whole or not untouched else None
    if untouched:
        return None
    raise DemoError(
        f"{str(folder)!a} holds a demo of another version of regtui that was changed since.",
        hint="Keep it for that version, or delete the folder to have it made anew.",
    )


def _summarise(folder: Path, *, built: bool) -> DemoSummary:
    """What is on the disk now. Raises FileNotFoundError where a part is missing, DemoError for a broken index."""
    raw = (folder / "index.json").read_bytes()
    try:
        names = {entry.get("annotations", {}).get(REF_NAME, "") for entry in json.loads(raw)["manifests"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DemoError(
            f"The index.json of the demo in {str(folder)!a} is broken.", hint="Delete the folder to have it made anew."
        ) from error
    pairs = [name.partition(":") for name in names if isinstance(name, str) and name]
    owners = [repository for repository, _, tag in pairs if subject_of(tag) is None]
    with os.scandir(folder / "blobs" / "sha256") as listing:
        sizes = [entry.stat().st_size for entry in listing]
    digest = str(Digest.of(raw))
    return DemoSummary(folder, folder / TRUST, digest, len(set(owners)), len(owners), len(sizes), sum(sizes), built)


def _write_demo(folder: Path, demo: Demo) -> DemoSummary:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    wanted = {digest.encoded: content for digest, content in demo.blobs.items()}
    for name in set(os.listdir(blobs)) - wanted.keys():
        (blobs / name).unlink()
    for name, content in wanted.items():
        (blobs / name).write_bytes(content)
    for name, text in demo.trust.items():
        (folder / TRUST / name).parent.mkdir(parents=True, exist_ok=True)
        _write(folder / TRUST / name, text.encode())
    _write(folder / "oci-layout", _LAYOUT)
    _write(folder / "index.json", demo.index)
    made = _summarise(folder, built=True)
    mark = {"demo": VERSION, "complete": True, "index": made.index_digest, "blobs": made.blobs, "size": made.size}
    _write(folder / _MARK, _encode(mark))
    return made


def _encode(mark: dict[str, Any]) -> bytes:
    return json.dumps(mark, indent=2).encode() + b"\n"


def _beside(name: str) -> str:
    return f".{name}.new"


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step."""
    beside = path.with_name(_beside(path.name))
    beside.write_bytes(content)
    os.replace(beside, path)
