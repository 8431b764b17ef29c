"""What is read out of a layer about packages while it streams by: small, immutable, storable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package as its database describes it.

    `size` is the installed bytes that the database claims, None where it does not tell. `files` are the paths that it
    owns, one per line and without a leading slash; None where the database does not list them.
    """

    name: str
    version: str | None
    architecture: str | None = None
    size: int | None = None
    files: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One database file of a layer, read: `manager` is the kind (`dpkg`, `apk`, `rpm`, `python`, `npm`, `go`).

    `row` is the database's row in the layer index. `problem` says in words why it could not be read.
    """

    manager: str
    row: int
    packages: tuple[Package, ...]
    problem: str | None = None


def findings_to_json(findings: tuple[Finding, ...]) -> list[Any]:
    """Plain lists for the stored index."""
    return [
        [f.manager, f.row, f.problem, [[p.name, p.version, p.architecture, p.size, p.files] for p in f.packages]]
        for f in findings
    ]


def findings_from_json(value: Any) -> tuple[Finding, ...]:
    """The reverse of `findings_to_json`. Raises ValueError or TypeError for anything else."""
    return tuple(
        Finding(
            manager,
            row,
            tuple(
                Package(name, version, architecture, size, files)
                for name, version, architecture, size, files in packages
            ),
            problem,
        )
        for manager, row, problem, packages in value
    )
