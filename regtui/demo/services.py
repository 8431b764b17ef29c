"""The shop's services: cart, worker, migrations and web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.demo import packages, rootfs, samples
from regtui.demo.content import minified, source, text
from regtui.demo.images import Recipe, Step, moment
from regtui.demo.layers import Tree
from regtui.demo.workshop import base_annotations, labels, run_config, seconds

if TYPE_CHECKING:
    from datetime import datetime

    from regtui.demo.layers import Layer
    from regtui.demo.packages import Package
    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Platform

_SECOND: Final = 1_000_000_000
_USER: Final = 10001
_BATCHES: Final = ("2026-03-09", "2026-06-22", "2026-10-05")
_APT: Final = (
    "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends python3 curl ca-certificates"
    " && rm -rf /var/lib/apt/lists/* # buildkit"
)


def python_layers(workshop: Workshop, release: Release, platform: Platform) -> tuple[Step, ...]:
    """Base, Python and requirements, which the Python services share."""
    base = workshop.base("base/debian", release.base, platform)
    before = base.steps[0].packages
    added = packages.debian_python(release.newer, platform.architecture)
    required = packages.pypi(release.newer)
    mtime = int(base.created.timestamp())

    def apt() -> Tree:
        tree = Tree(mtime)
        install_python(tree, added)
        tree.file("var/lib/dpkg/status", rootfs.dpkg_status((*before, *added)))
        return tree

    def pip() -> Tree:
        tree = Tree(mtime)
        rootfs.install_pypi(tree, required)
        return tree

    return (
        *base.steps,
        Step(_APT, workshop.layer(f"apt python {release.base} {platform}", apt), added),
        Step("WORKDIR /app"),
        Step(
            "RUN /bin/sh -c pip install --no-cache-dir -r requirements.txt # buildkit",
            workshop.layer(f"pip {release.base}", pip),
            required,
        ),
    )


def install_python(tree: Tree, added: tuple[Package, ...]) -> None:
    """Python's packages with a part of its library."""
    rootfs.install_debian(tree, added)
    for number in range(24):
        tree.file(f"usr/lib/python3.11/sample_{number:02}.py", source(f"stdlib {number}", 90))
    tree.symlink("usr/bin/python3", "python3.11")


def cart(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """A Python service with a health check, a user of its own, and labels."""
    command = ["gunicorn", "--bind", "0.0.0.0:8080", "cart.server:app"]
    health = ["CMD", "curl", "-fsS", "http://127.0.0.1:8080/healthz"]
    steps = (
        *python_layers(workshop, release, platform),
        Step("COPY --chown=10001:10001 src/ /app/ # buildkit", _cart_layer(workshop, release)),
        Step(f"ARG VERSION={release.version}"),
        Step(f"ENV APP_VERSION={release.version}"),
        Step(f"USER {_USER}:{_USER}"),
        Step("EXPOSE [8080/tcp 9090/tcp]"),
        Step(f'HEALTHCHECK &{{{_list(health)} "30s" "3s" "10s" "0s" "3"}}'),
        Step(f"ENTRYPOINT {_list(command)}"),
    )
    timing = {"Interval": 30 * _SECOND, "Timeout": 3 * _SECOND, "StartPeriod": 10 * _SECOND, "Retries": 3}
    run = run_config(
        user=f"{_USER}:{_USER}",
        ports=("8080/tcp", "9090/tcp"),
        env=("PYTHONUNBUFFERED=1", f"APP_VERSION={release.version}"),
        entrypoint=command,
        WorkingDir="/app",
        Labels=labels(release, "cart"),
        StopSignal="SIGTERM",
        Healthcheck={"Test": health, **timing},
    )
    notes = base_annotations(workshop, release, "base/debian")
    return Recipe(platform, moment(release.created), steps, run, "Demo Shop <shop@demo.example>", annotations=notes)


def _cart_layer(workshop: Workshop, release: Release) -> Layer:
    # The parts change with the minor version, the server with each release.
    minor = ".".join(release.version.split(".")[:2])
    owner = {"uid": _USER, "gid": _USER}

    def tree() -> Tree:
        made = Tree(seconds(release))
        made.directory("app", 0o755, **owner)
        made.file("app/cart/server.py", samples.CART_SERVER.replace("@VERSION@", release.version), **owner)
        made.file("app/cart/__init__.py", f'__version__ = "{release.version}"\n', **owner)
        for part in ("prices", "stock", "sessions", "vouchers"):
            made.file(f"app/cart/{part}.py", source(f"cart {part} {minor}", 300), **owner)
        made.file("app/config/defaults.toml", samples.CART_CONFIG, 0o640, **owner)
        made.file("app/static/cart.css", minified(f"css {release.version}", 9_000), **owner)
        made.file("app/README.md", f"# cart {release.version}\n\n".encode() + text("cart", 40), **owner)
        if release.version >= "1.4":
            made.file("app/cart/webhooks.py", source("cart webhooks", 220), **owner)
        return made

    return workshop.layer(f"cart {release.version}", tree)


def worker(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """The same base as cart, and a value in its environment that should not be there."""

    def tree() -> Tree:
        made = Tree(seconds(release))
        for part in ("main", "queue", "retry", "tasks"):
            made.file(f"app/worker/{part}.py", source(f"worker {part} {release.version}", 260))
        made.file("app/worker/__init__.py", f'__version__ = "{release.version}"\n')
        return made

    command = ["python3", "-m", "worker.main"]
    steps = (
        *python_layers(workshop, release, platform),
        Step("COPY src/ /app/ # buildkit", workshop.layer(f"worker {release.version}", tree)),
        Step("ENV QUEUE_PASSWORD=example-only"),
        Step(f"CMD {_list(command)}"),
    )
    run = run_config(
        env=("PYTHONUNBUFFERED=1", "QUEUE_PASSWORD=example-only"),
        cmd=command,
        WorkingDir="/app",
        Labels=labels(release, "worker"),
    )
    return Recipe(platform, moment(release.created), steps, run)


def migrations(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """SQL files on nothing (FROM scratch), a layer for each batch, so that later tags hold the earlier layers."""
    steps = []
    for number, batch in enumerate(_BATCHES[: _BATCHES.index(release.version) + 1]):
        when = moment(f"{batch}T08:00:00")

        def tree(number: int = number, when: datetime = when) -> Tree:
            return _batch(number, when)

        steps.append(Step(f"COPY sql/{batch}/ /sql/ # buildkit", workshop.layer(f"sql {batch}", tree), at=when))
    run: dict[str, Any] = run_config(WorkingDir="/sql", Labels=labels(release, "migrations"))
    return Recipe(platform, moment(release.created), tuple(steps), run)


def _batch(number: int, when: datetime) -> Tree:
    made = Tree(int(when.timestamp()))
    for part in range(6):
        name = f"sql/{number * 6 + part:04}_{('cart', 'stock', 'users')[part % 3]}.sql"
        comments = b"".join(b"-- " + line + b"\n" for line in text(f"sql {name}", 30).splitlines() if line)
        made.file(name, f"-- migration {name}\nBEGIN;\n".encode() + comments + b"COMMIT;\n")
    return made


def web(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """Node.js on Alpine with assets."""
    base = workshop.base("base/alpine", release.base, platform)
    added = packages.alpine_node(release.newer, platform.architecture)
    modules = packages.npm(release.newer)
    mtime = int(base.created.timestamp())

    def node() -> Tree:
        tree = Tree(mtime)
        rootfs.install_alpine(tree, added)
        tree.file("lib/apk/db/installed", rootfs.apk_installed((*base.steps[0].packages, *added)))
        return tree

    def npm() -> Tree:
        tree = Tree(mtime)
        rootfs.install_npm(tree, modules, "srv/web")
        return tree

    key = f"{release.base} {release.newer}"
    node_layer, npm_layer = workshop.layer(f"node {key} {platform}", node), workshop.layer(f"npm {key}", npm)
    steps = (
        *base.steps,
        Step("RUN /bin/sh -c apk add --no-cache nodejs # buildkit", node_layer, added),
        Step("WORKDIR /srv/web"),
        Step("RUN /bin/sh -c npm ci --omit=dev # buildkit", npm_layer, modules),
        Step("COPY dist/ /srv/web/ # buildkit", workshop.layer(f"web {release.version}", lambda: _assets(release))),
        Step("USER node"),
        Step("EXPOSE [3000/tcp]"),
        Step('CMD ["node" "server.js"]'),
    )
    run = run_config(
        user="node",
        ports=("3000/tcp",),
        env=("NODE_ENV=production",),
        cmd=("node", "server.js"),
        WorkingDir="/srv/web",
        Labels=labels(release, "web"),
    )
    notes = base_annotations(workshop, release, "base/alpine")
    return Recipe(platform, moment(release.created), steps, run, annotations=notes)


def _assets(release: Release) -> Tree:
    tree = Tree(seconds(release))
    tree.file("srv/web/package.json", f'{{"name": "@demo/web", "version": "{release.version}"}}\n')
    tree.file("srv/web/server.js", "require('express')().listen(3000)\n")
    for part in ("checkout", "product", "search", "start"):
        page = samples.PAGE.replace("@PART@", part).replace("@VERSION@", release.version)
        tree.file(f"srv/web/public/{part}.js", minified(f"{part} {release.version}", 24_000))
        tree.file(f"srv/web/public/{part}.html", page)
    return tree


def _list(words: list[str]) -> str:
    """A list as BuildKit's history prints it."""
    return "[" + " ".join(f'"{word}"' for word in words) + "]"
