"""The tests on every supported Python that is on this machine: `uvx nox`, or one of them: `uvx nox -s tests-3.13`."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The tests, with the pinned versions."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    session.run("pytest", *(session.posargs or ["-n", "2"]))
