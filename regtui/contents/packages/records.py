"""What is read out of a layer about packages while it streams by: small, immutable, storable."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Described:
    """One package as its database describes it: bytes of the database in, this out.

    `size` is the installed bytes that the database claims. `paths` are its files from the root, as the database
    spells them, `folder` is a folder that is its own with everything in it.
    """

    name: str
    version: str | None
    architecture: str | None = None
    size: int | None = None
    paths: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """One package of one layer's database. `rows` are the files of this layer that are its own.

    `size` is the installed bytes that the database claims, None where it does not tell.
    """

    name: str
    version: str | None
    architecture: str | None = None
    size: int | None = None
    rows: array[int] = field(default_factory=lambda: array("I"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One database file of a layer, read. `row` is its row in the layer index.

    `kind` is what it is: `dpkg` (installed packages), `dpkg-list` (files of one), `apk`, `rpm`, `python`,
    `python-record` (files of one), `npm`, `go`. `problem` says in words why it could not be read.
    """

    kind: str
    row: int
    packages: tuple[Package, ...]
    problem: str | None = None


def findings_to_json(findings: Iterable[Finding]) -> list[Any]:
    """Plain lists for the stored index; rows as runs, which nearly all of them are."""
    return [
        [f.kind, f.row, f.problem, [[p.name, p.version, p.architecture, p.size, _runs(p.rows)] for p in f.packages]]
        for f in findings
    ]


def findings_from_json(value: Any) -> tuple[Finding, ...]:
    """The reverse of `findings_to_json`. Raises ValueError, TypeError or OverflowError for anything else."""
    return tuple(
        Finding(
            _text(kind),
            row,
            tuple(
                Package(_text(name), _text(version), _text(architecture), size, _rows(runs))
                for name, version, architecture, size, runs in packages
            ),
            _text(problem),
        )
        for kind, row, problem, packages in value
    )


def _runs(rows: array[int]) -> list[int]:
    """[first, length, first, length, …] of ascending rows."""
    made: list[int] = []
    following = -1
    for row in rows:
        if row == following:
            made[-1] += 1
        else:
            made += (row, 1)
        following = row + 1
    return made


def _rows(runs: list[int]) -> array[int]:
    made = array("I")
    for first, length in zip(runs[::2], runs[1::2], strict=True):
        if length > 1 << 22:
            raise ValueError("a run of rows is too long")
        made.extend(range(first, first + length))
    return made


def _text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise TypeError("not a text")
    return value
