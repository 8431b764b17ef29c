"""Images of the infra team: nginx with Docker's media types, PostgreSQL, and an agent that also runs on Windows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from regtui.demo import packages, rootfs, samples
from regtui.demo.content import executable, text
from regtui.demo.images import Recipe, Step, moment
from regtui.demo.layers import Tree, build_layer
from regtui.demo.workshop import labels, run_config, seconds
from regtui.oci import media_types

if TYPE_CHECKING:
    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Platform

_FOREIGN: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
_WINDOWS_BASE: Final = "https://windows-base.demo.example/nanoserver/20348.2527"
_UID: Final = 999


def nginx(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """Pushed by an older Docker: its media types, its way to write the history."""
    base = workshop.base("base/alpine", release.base, platform)
    added = packages.alpine_nginx(release.newer, platform.architecture)
    version = release.version.removesuffix("-alpine")

    def server() -> Tree:
        tree = Tree(seconds(release))
        rootfs.install_alpine(tree, added)
        page = samples.PAGE.replace("@PART@", "nginx").replace("@VERSION@", version)
        tree.file("etc/nginx/nginx.conf", samples.NGINX)
        tree.file("usr/share/nginx/html/index.html", page)
        tree.symlink("var/log/nginx/access.log", "/dev/stdout")
        tree.symlink("var/log/nginx/error.log", "/dev/stderr")
        tree.file("lib/apk/db/installed", rootfs.apk_installed((*base.steps[0].packages, *added)))
        return tree

    layer = workshop.layer(f"nginx {version} {platform}", server, media_types.DOCKER_LAYER_GZIP)
    steps = (
        *(_as_docker(step) for step in base.steps),
        _nop(f"ENV NGINX_VERSION={version}"),
        Step('/bin/sh -c apk add --no-cache "nginx=$NGINX_VERSION-r1" pcre2', layer, added, ""),
        _nop("EXPOSE 80"),
        _nop("STOPSIGNAL SIGQUIT"),
        _nop('CMD ["nginx" "-g" "daemon off;"]'),
    )
    run = run_config(
        ports=("80/tcp",),
        env=(f"NGINX_VERSION={version}",),
        cmd=("nginx", "-g", "daemon off;"),
        Labels={"maintainer": "Infra <infra@demo.example>", "org.label-schema.version": version},
        StopSignal="SIGQUIT",
    )
    return Recipe(platform, moment(release.created), steps, run, docker=True)


def _nop(instruction: str) -> Step:
    return Step(f"/bin/sh -c #(nop)  {instruction}", comment="")


def _as_docker(step: Step) -> Step:
    """A step of an OCI base as a Docker manifest has it: the same blob under Docker's media type."""
    if step.layer is None:
        return step
    return replace(step, layer=replace(step.layer, media_type=media_types.DOCKER_LAYER_GZIP))


def postgres(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """Volumes, a port, a stop signal, directories of another owner."""
    base = workshop.base("base/debian", release.base, platform)
    added = packages.debian_postgres(release.newer, platform.architecture)
    major = release.version.partition(".")[0]

    def server() -> Tree:
        tree = Tree(seconds(release))
        rootfs.install_debian(tree, added)
        tree.file("var/lib/dpkg/status", rootfs.dpkg_status((*base.steps[0].packages, *added)))
        tree.directory("var/lib/postgresql", 0o700, _UID, _UID)
        tree.directory("run/postgresql", 0o3777, _UID, _UID)
        tree.file("etc/postgresql/postgresql.conf", text(f"postgresql {major}", 120))
        return tree

    def script() -> Tree:
        tree = Tree(seconds(release))
        tree.file("usr/local/bin/docker-entrypoint.sh", samples.POSTGRES_ENTRYPOINT, 0o755)
        return tree

    install = (
        'RUN /bin/sh -c apt-get update && apt-get install -y "postgresql-$PG_MAJOR"'
        " && rm -rf /var/lib/apt/lists/* # buildkit"
    )
    server_layer = workshop.layer(f"postgres {release.version} {platform}", server)
    steps = (
        *base.steps,
        Step(f"ENV PG_MAJOR={major}"),
        Step(install, server_layer, added),
        Step("VOLUME [/var/lib/postgresql/data]"),
        Step("COPY docker-entrypoint.sh /usr/local/bin/ # buildkit", workshop.layer(f"pg {release.version}", script)),
        Step("STOPSIGNAL SIGINT"),
        Step("EXPOSE [5432/tcp]"),
        Step('ENTRYPOINT ["docker-entrypoint.sh"]'),
        Step('CMD ["postgres"]'),
    )
    run = run_config(
        ports=("5432/tcp",),
        env=(f"PG_MAJOR={major}", "PGDATA=/var/lib/postgresql/data"),
        entrypoint=("docker-entrypoint.sh",),
        cmd=("postgres",),
        Volumes={"/var/lib/postgresql/data": {}},
        StopSignal="SIGINT",
    )
    return Recipe(platform, moment(release.created), steps, run)


def agent(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """Linux on Alpine, Windows on a base layer that lies elsewhere."""
    if platform.os == "windows":
        return _windows_agent(workshop, release, platform)
    base = workshop.base("base/alpine", release.base, platform)

    def tree() -> Tree:
        made = Tree(seconds(release))
        made.file("usr/local/bin/agent", executable("agent", 240_000, platform.architecture), 0o755)
        return made

    steps = (
        *base.steps,
        Step("COPY agent /usr/local/bin/ # buildkit", workshop.layer(f"agent {release.version} {platform}", tree)),
        Step('ENTRYPOINT ["/usr/local/bin/agent"]'),
    )
    run = run_config(entrypoint=("/usr/local/bin/agent",), Labels=labels(release, "agent"))
    return Recipe(platform, moment(release.created), steps, run)


def _windows_agent(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    base = Tree(seconds(release) - 86_400)
    base.file("Files/License.txt", text("windows licence", 400))
    for name in ("ntdll", "kernel32", "advapi32", "ucrtbase"):
        base.file(f"Files/Windows/System32/{name}.dll", b"MZ" + executable(name, 90_000)[2:])
    for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT"):
        base.file(f"Hives/{name}_Delta", b"regf" + executable(name, 12_000)[4:])

    def tree() -> Tree:
        made = Tree(seconds(release))
        made.file("Files/Program Files/agent/agent.exe", b"MZ" + executable("agent windows", 260_000)[2:])
        made.directory("Hives")
        return made

    foreign = build_layer(base, _FOREIGN)
    address = f"{_WINDOWS_BASE}/{foreign.digest}"
    entry = "C:\\Program Files\\agent\\agent.exe"
    steps = (
        Step("Apply image 10.0.20348.2527", foreign, comment="", foreign=(address,)),
        Step(
            "COPY agent.exe C:/Program Files/agent/ # buildkit",
            workshop.layer(f"agent {release.version} {platform}", tree),
        ),
        Step(f'ENTRYPOINT ["{entry}"]'),
    )
    run = run_config(entrypoint=(entry,), ArgsEscaped=True, Labels=labels(release, "agent"))
    run["Env"] = ["PATH=C:\\Windows\\System32;C:\\Windows"]
    return Recipe(replace(platform, os_version="10.0.20348.2527"), moment(release.created), steps, run)
