"""Root file systems of the sample distributions, with the databases that their package managers keep."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from regtui.demo.content import executable, source, text
from regtui.demo.layers import Entry, Kind, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from regtui.demo.packages import Package

_TRIPLETS: Final = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_MAINTAINER: Final = "Sample Maintainers <packages@demo.example>"
_TEXT_FOLDERS: Final = ("etc/", "usr/share/", "usr/lib/base-files/", "usr/lib/terminfo/")
_INFO: Final = "var/lib/dpkg/info"
_EMPTY: Final = ("dev", "home", "mnt", "opt", "proc", "run", "srv", "sys")
_COPIES: Final = ("cat", "chmod", "chown", "cp", "date", "dd", "df", "env", "id", "ls", "mkdir", "mv", "rm", "sort")


def debian_tree(packages: Sequence[Package], mtime: int, release: str) -> Tree:
    """A minimal Debian: merged /usr, base files, every package with its dpkg records."""
    tree = Tree(mtime)
    for name in ("bin", "lib", "sbin"):
        tree.symlink(name, f"usr/{name}")
    tree.symlink("lib64", "usr/lib64")
    for name in (*_EMPTY, "boot", "media", "usr/lib64", "var/cache/apt"):
        tree.directory(name)
    tree.directory("root", 0o700)
    tree.directory("tmp", 0o1777)
    tree.directory("var/tmp", 0o1777)
    tree.file("etc/passwd", _PASSWD)
    tree.file("etc/shadow", "root:*:20000:0:99999:7:::\nwww-data:*:20000:0:99999:7:::\n", 0o640, gid=42)
    tree.file("etc/group", "root:x:0:\nshadow:x:42:\nwww-data:x:33:\nnogroup:x:65534:\n")
    tree.file("etc/debian_version", f"{release}\n")
    tree.file("etc/hostname", "debian\n")
    tree.file("usr/lib/os-release", _DEBIAN_RELEASE.format(release=release))
    tree.symlink("etc/os-release", "../usr/lib/os-release")
    install_debian(tree, packages)
    for name in _COPIES:
        tree.symlink(f"usr/bin/{name}", "coreutils")
    tree.hard_link("usr/bin/perl5.36.0", "usr/bin/perl")
    tree.symlink("usr/bin/sh", "dash")
    tree.symlink("etc/localtime", "/usr/share/zoneinfo/UTC")
    for name in ("login", "mount", "passwd"):
        path = f"usr/bin/{name}"
        tree.add(path, Entry(Kind.FILE, tree.entries[path.encode()].content, mode=0o4755))
    tree.file("var/lib/dpkg/status", dpkg_status(packages))
    return tree


def install_debian(tree: Tree, packages: Iterable[Package]) -> None:
    """Unpack packages and write their file lists and checksums. The status database is the caller's."""
    for package in packages:
        files = _debian_files(package)
        for path, (content, mode) in files.items():
            tree.file(path, content, mode)
        soname = _soname(package)
        if soname is not None:
            tree.symlink(soname[0], soname[1])
        listed = sorted({"/.", *(f"/{path}" for path in files), *([f"/{soname[0]}"] if soname else [])})
        sums = "".join(f"{hashlib.md5(c, usedforsecurity=False).hexdigest()}  {p}\n" for p, (c, _) in files.items())
        tree.file(f"{_INFO}/{package.name}.list", "\n".join(listed) + "\n")
        tree.file(f"{_INFO}/{package.name}.md5sums", sums)


def dpkg_status(packages: Sequence[Package]) -> str:
    """The status database for these packages. Installed-Size is what their sample files really take, in KiB."""
    made = []
    for package in sorted(packages, key=lambda item: item.name):
        size = sum(len(content) for content, _ in _debian_files(package).values())
        made.append(
            f"Package: {package.name}\nStatus: install ok installed\nPriority: required\nSection: misc\n"
            f"Installed-Size: {-(-size // 1024)}\nMaintainer: {_MAINTAINER}\nArchitecture: {package.architecture}\n"
            + (f"Source: {package.source}\n" if package.source else "")
            + f"Version: {package.version}\nDescription: sample of {package.name}\n It does nothing.\n\n"
        )
    return "".join(made)


@lru_cache(maxsize=512)
def _debian_files(package: Package) -> Mapping[str, tuple[bytes, int]]:
    path = _library(package) or package.path
    seed, size = f"{package.name} {package.version}", package.kilobytes << 10
    if path.startswith(_TEXT_FOLDERS):
        main = (text(seed, size // 60), 0o644)
    else:
        main = (executable(seed, size, package.architecture), 0o644 if "/lib" in path else 0o755)
    doc = f"Sample of {package.name} {package.version}\nLicense: {package.licence}\n\n".encode()
    return {path: main, f"usr/share/doc/{package.name}/copyright": (doc + text(f"copyright {package.name}", 12), 0o644)}


def forget() -> None:
    """Let go of the file contents that are kept while a demo is made."""
    _debian_files.cache_clear()


def _library(package: Package) -> str | None:
    """The path of a shared library, with the minor version that the symlink hides."""
    name = package.path.removeprefix("lib:")
    if name == package.path:
        return None
    folder = f"usr/lib/{_TRIPLETS[package.architecture]}"
    return f"{folder}/{name}" if "/" in name or name.endswith(".so") else f"{folder}/{name}.0.{package.kilobytes}"


def _soname(package: Package) -> tuple[str, str] | None:
    path = _library(package)
    name = package.path.removeprefix("lib:")
    if path is None or path.endswith(f"/{name}"):
        return None
    return path.rpartition("/")[0] + f"/{name}", path.rpartition("/")[2]


def alpine_tree(packages: Sequence[Package], mtime: int, release: str) -> Tree:
    """A minimal Alpine with busybox links and the apk database."""
    tree = Tree(mtime)
    for name in (*_EMPTY, "usr/local/bin", "var/log"):
        tree.directory(name)
    tree.directory("root", 0o700)
    tree.directory("tmp", 0o1777)
    tree.file("etc/passwd", _PASSWD)
    tree.file("etc/group", "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n")
    tree.file("etc/alpine-release", f"{release}\n")
    tree.file("etc/os-release", _ALPINE_RELEASE.format(release=release))
    install_alpine(tree, packages)
    for name in (*_COPIES, "sh", "ash", "grep", "sed", "tar", "vi", "wget"):
        tree.symlink(f"bin/{name}", "/bin/busybox")
    tree.file("etc/apk/world", "".join(f"{package.name}\n" for package in packages))
    tree.file("lib/apk/db/installed", apk_installed(packages))
    return tree


def install_alpine(tree: Tree, packages: Iterable[Package]) -> None:
    """Unpack packages. The database is the caller's."""
    for package in packages:
        content, mode = _alpine_file(package)
        tree.file(package.path, content, mode)


def apk_installed(packages: Iterable[Package]) -> str:
    """The database of apk (apk-tools v2): one paragraph per package, with its files and their SHA-1."""
    made = []
    for package in packages:
        content, mode = _alpine_file(package)
        folder, _, name = package.path.rpartition("/")
        made.append(
            f"C:Q1{_sha1(package.purl.encode())}\nP:{package.name}\nV:{package.version}\nA:{package.architecture}\n"
            f"S:{len(content)}\nI:{len(content)}\nT:sample of {package.name}\nU:https://demo.example/\n"
            f"L:{package.licence}\no:{package.name}\nm:{_MAINTAINER}\nt:1751300000\n"
            f"F:{folder}\nR:{name}\na:0:0:{mode:o}\nZ:Q1{_sha1(content)}\n\n"
        )
    return "".join(made)


def _alpine_file(package: Package) -> tuple[bytes, int]:
    seed, size = f"{package.name} {package.version}", package.kilobytes << 10
    if package.path.startswith("etc/"):
        return text(seed, size // 60), 0o644
    architecture = {"x86_64": "amd64", "aarch64": "arm64", "armv7": "arm"}[package.architecture]
    return executable(seed, size, architecture), 0o755


def install_pypi(tree: Tree, packages: Iterable[Package], site: str = "usr/local/lib/python3.11/dist-packages") -> None:
    """Python distributions: modules and a dist-info folder whose RECORD fits (PEP 376, PEP 427)."""
    for package in packages:
        about = f'"""Sample of {package.name}."""\n__version__ = "{package.version}"\n'
        files = {f"{package.path}/__init__.py": about.encode()}
        lines = package.kilobytes * 1024 // 36
        for number, part in enumerate(("core", "models", "errors", "compat")):
            files[f"{package.path}/{part}.py"] = source(f"{package.name} {package.version} {number}", lines // 4)
        info = f"{package.name.replace('-', '_').lower()}-{package.version}.dist-info"
        files[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n"
            f"Summary: sample of {package.name}\nLicense: {package.licence}\nRequires-Python: >=3.9\n\n"
        ).encode() + text(package.name, 20)
        files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files[f"{info}/INSTALLER"] = b"pip\n"
        files[f"{info}/top_level.txt"] = f"{package.path}\n".encode()
        rows = "".join(f"{path},sha256={_urlsafe_sha256(content)},{len(content)}\n" for path, content in files.items())
        files[f"{info}/RECORD"] = f"{rows}{info}/RECORD,,\n".encode()
        for path, content in files.items():
            tree.file(f"{site}/{path}", content)


def install_npm(tree: Tree, packages: Iterable[Package], folder: str) -> None:
    """Node packages below `folder`/node_modules."""
    for package in packages:
        root = f"{folder}/node_modules/{package.name}"
        about = (
            f'{{\n  "name": "{package.name}",\n  "version": "{package.version}",\n'
            f'  "license": "{package.licence}",\n  "main": "{package.path}"\n}}\n'
        )
        tree.file(f"{root}/package.json", about)
        tree.file(f"{root}/{package.path}", source(f"{package.name} {package.version}", package.kilobytes * 1024 // 36))
        tree.file(f"{root}/README.md", f"# {package.name}\n\n".encode() + text(package.name, 24))


def _sha1(content: bytes) -> str:
    return base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def _urlsafe_sha256(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


_PASSWD: Final = """root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_DEBIAN_RELEASE: Final = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
DEBIAN_VERSION_FULL={release}
ID=debian
HOME_URL="https://demo.example/"
"""
_ALPINE_RELEASE: Final = """NAME="Alpine Linux"
ID=alpine
VERSION_ID={release}
PRETTY_NAME="Alpine Linux v3.22"
HOME_URL="https://demo.example/"
"""
