"""shop/reports: 0.4.0 with every habit that fattens an image, 0.5.0 without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.demo import packages, rootfs
from regtui.demo.content import executable, source, text
from regtui.demo.images import Recipe, Step, moment
from regtui.demo.layers import Entry, Kind, Tree, build_layer
from regtui.demo.services import install_python, python_layers
from regtui.demo.workshop import base_annotations, labels, run_config, seconds

if TYPE_CHECKING:
    from regtui.demo.packages import Package
    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Platform

_SITE: Final = "opt/reports/lib/python3.11/site-packages"
_BLAS: Final = f"{_SITE}/numerics/libblas.so"
_MODEL: Final = "opt/reports/data/forecast.bin"
_COMMAND: Final = ("python3", "-m", "reports")


def reports(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """The recipe of either version."""
    return _fat(workshop, release, platform) if release.version == "0.4.0" else _lean(workshop, release, platform)


def _lean(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    def tree() -> Tree:
        made = _application(release)
        made.file(_BLAS, executable("libblas 2", 420_000))
        made.file(_MODEL, executable("forecast", 300_000))
        return made

    steps = (
        *python_layers(workshop, release, platform),
        Step("COPY --from=build /opt/reports /opt/reports # buildkit", workshop.layer("reports lean", tree)),
        Step("USER 10001"),
        Step('CMD ["python3" "-m" "reports"]'),
    )
    run = run_config(user="10001", cmd=_COMMAND, WorkingDir="/opt/reports", Labels=labels(release, "reports"))
    notes = base_annotations(workshop, release, "base/debian")
    return Recipe(platform, moment(release.created), steps, run, annotations=notes)


def _fat(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    base = workshop.base("base/debian", release.base, platform)
    added = packages.debian_python(release.newer, platform.architecture)
    required = packages.pypi(release.newer)
    status = rootfs.dpkg_status((*base.steps[0].packages, *added))

    def apt() -> Tree:
        tree = _apt_leftovers(release)
        install_python(tree, added)
        tree.file("var/lib/dpkg/status", status)
        return tree

    def pip() -> Tree:
        tree = Tree(seconds(release))
        rootfs.install_pypi(tree, required, _SITE)
        tree.file(_BLAS, executable("libblas 1", 420_000))
        for number in range(6):
            tree.file(f"root/.cache/pip/http/{number:02}/wheel.body", executable(f"wheel {number}", 60_000))
        return tree

    steps = (
        *base.steps,
        _run("apt-get update && apt-get install -y python3 curl gcc", apt(), added),
        _run("pip install --target /opt/reports/lib -r requirements.txt", pip(), required),
        _run("pip install --upgrade --force-reinstall numerics", _upgrade(release)),
        Step("COPY . /opt/reports # buildkit", build_layer(_context(release))),
        _run("chmod -R g+w /opt/reports && chown -R 10001 /opt/reports", _owned(release)),
        _run("rm -rf /opt/reports/.git /opt/reports/tests /tmp/*", _cleaned(release)),
        Step("USER 10001"),
        Step('CMD ["python3" "-m" "reports"]'),
    )
    run = run_config(
        user="10001",
        env=("DATABASE_PASSWORD=example-only",),
        cmd=_COMMAND,
        WorkingDir="/opt/reports",
        Labels=labels(release, "reports"),
    )
    return Recipe(platform, moment(release.created), steps, run)


def _run(command: str, tree: Tree, installed: tuple[Package, ...] = ()) -> Step:
    return Step(f"RUN /bin/sh -c {command} # buildkit", build_layer(tree), installed)


def _apt_leftovers(release: Release) -> Tree:
    """Package lists and downloaded archives that nobody removed, and a compiler's headers."""
    tree = Tree(seconds(release))
    tree.file("var/cache/apt/pkgcache.bin", executable("pkgcache", 520_000))
    tree.file("var/cache/apt/srcpkgcache.bin", executable("srcpkgcache", 260_000))
    tree.file("var/lib/apt/lists/deb.demo.example_debian_dists_bookworm_main_Packages", text("packages", 9_000))
    for name in ("gcc-12_12.2.0-14", "libc6-dev_2.36-9", "python3.11_3.11.2-6"):
        tree.file(f"var/cache/apt/archives/{name}_amd64.deb", b"!<arch>\n" + executable(name, 150_000)[8:])
    tree.file("usr/lib/gcc/cc1", executable("cc1", 380_000), 0o755)
    tree.file("var/log/dpkg.log", text("dpkg log", 600))
    return tree


def _upgrade(release: Release) -> Tree:
    """The same file again with other content, and the cache of pip replaced as a whole."""
    tree = Tree(seconds(release) + 60)
    tree.file(_BLAS, executable("libblas 2", 420_000))
    tree.make_opaque("root/.cache/pip")
    tree.file("root/.cache/pip/http/99/wheel.body", executable("wheel 99", 60_000))
    tree.file("tmp/build/numerics.tar", executable("numerics sources", 200_000))
    return tree


def _context(release: Release) -> Tree:
    """A build context without a .dockerignore: history, tests, and data twice."""
    tree = _application(release)
    tree.file(_MODEL, executable("forecast", 300_000))
    tree.file("opt/reports/backup/forecast.bin", executable("forecast", 300_000))
    tree.file("opt/reports/.git/objects/pack/pack-1f3a.pack", executable("pack", 240_000))
    tree.file("opt/reports/.git/HEAD", "ref: refs/heads/main\n")
    for number in range(12):
        tree.file(f"opt/reports/tests/test_{number:02}.py", source(f"tests {number}", 120))
    tree.file("opt/reports/notes.txt~", text("notes", 80))
    tree.symlink("opt/reports/current", "data")
    tree.hard_link("opt/reports/data/forecast.latest", _MODEL)
    return tree


def _application(release: Release) -> Tree:
    tree = Tree(seconds(release))
    for part in ("__main__", "charts", "export", "queries", "schedule"):
        tree.file(f"opt/reports/reports/{part}.py", source(f"reports {part} {release.version}", 320))
    tree.file("opt/reports/README.md", b"# reports\n\n" + text("reports", 30))
    return tree


def _owned(release: Release) -> Tree:
    """Only owner and mode changed: every byte is in the layer once more."""
    tree = Tree(seconds(release))
    for path, entry in _context(release).entries.items():
        mode = entry.mode | 0o020
        if entry.kind in {Kind.FILE, Kind.DIRECTORY} and path.startswith(b"opt/reports"):
            tree.add(path, Entry(entry.kind, entry.content, mode, 10001, entry.gid, entry.mtime))
    return tree


def _cleaned(release: Release) -> Tree:
    """Deleted too late: the bytes stay in the layers below."""
    tree = Tree(seconds(release) + 120)
    for path in ("opt/reports/.git", "opt/reports/tests", "opt/reports/notes.txt~", "tmp/build", "var/log/dpkg.log"):
        tree.delete(path)
    return tree
