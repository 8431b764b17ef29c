"""Which packages the sample images have: names, versions and licences as package managers record them. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package. `manager` is one of deb, apk, pypi, npm; `kilobytes` sizes its sample files."""

    manager: str
    name: str
    version: str
    licence: str
    architecture: str = ""
    distribution: str = ""
    source: str = ""
    kilobytes: int = 0
    path: str = ""

    @property
    def purl(self) -> str:
        """Its package URL."""
        version = quote(self.version, safe=":.~-")
        if self.manager == "deb":
            return f"pkg:deb/debian/{self.name}@{version}?arch={self.architecture}&distro={self.distribution}"
        if self.manager == "apk":
            return f"pkg:apk/alpine/{self.name}@{version}?arch={self.architecture}&distro={self.distribution}"
        name = self.name.lower() if self.manager == "pypi" else self.name
        return f"pkg:{self.manager}/{quote(name, safe='/')}@{version}"


# name, version in the older base [| in the newer one], size in KiB, path (lib: = shared library), licence
_DEBIAN: Final = """
adduser 3.134 14 usr/sbin/adduser GPL-2.0-or-later
apt 2.6.1 46 usr/bin/apt GPL-2.0-or-later
base-files 12.4+deb12u1|12.4+deb12u10 4 usr/lib/base-files/marker GPL-2.0-or-later
base-passwd 3.6.1 5 usr/sbin/update-passwd GPL-2.0-only
bash 5.2.15-2+b2 64 usr/bin/bash GPL-3.0-or-later
coreutils 9.1-1 90 usr/bin/coreutils GPL-3.0-or-later
dash 0.5.12-2 16 usr/bin/dash BSD-3-Clause
debconf 1.5.82 12 usr/bin/debconf BSD-2-Clause
debian-archive-keyring 2023.3|2023.3+deb12u1 10 usr/share/keyrings/archive.gpg GPL-2.0-or-later
debianutils 5.7-0.4 8 usr/bin/run-parts GPL-2.0-or-later
diffutils 1:3.8-4 22 usr/bin/diff GPL-3.0-or-later
dpkg 1.21.22 44 usr/bin/dpkg GPL-2.0-or-later
findutils 4.9.0-4 20 usr/bin/find GPL-3.0-or-later
gpgv 2.2.40-1.1 26 usr/bin/gpgv GPL-3.0-or-later
grep 3.8-5 20 usr/bin/grep GPL-3.0-or-later
gzip 1.12-1 10 usr/bin/gzip GPL-3.0-or-later
hostname 3.23+nmu1 4 usr/bin/hostname GPL-2.0-or-later
init-system-helpers 1.65.2 8 usr/bin/deb-systemd-helper BSD-3-Clause
libacl1 2.3.1-3 6 lib:libacl.so.1 LGPL-2.1-or-later
libapt-pkg6.0 2.6.1 48 lib:libapt-pkg.so.6.0 GPL-2.0-or-later
libattr1 1:2.5.1-4 5 lib:libattr.so.1 LGPL-2.1-or-later
libblkid1 2.38.1-5+b1|2.38.1-5+deb12u3 12 lib:libblkid.so.1 LGPL-2.1-or-later
libbz2-1.0 1.0.8-5+b1 8 lib:libbz2.so.1.0 bzip2-1.0.6
libc-bin 2.36-9+deb12u1|2.36-9+deb12u10 24 usr/bin/ldd LGPL-2.1-or-later
libc6 2.36-9+deb12u1|2.36-9+deb12u10 130 lib:libc.so.6 LGPL-2.1-or-later
libcap2 1:2.66-4 6 lib:libcap.so.2 BSD-3-Clause
libcrypt1 1:4.4.33-2 14 lib:libcrypt.so.1 LGPL-2.1-or-later
libdb5.3 5.3.28+dfsg2-1 60 lib:libdb-5.3.so Sleepycat
libffi8 3.4.4-1 6 lib:libffi.so.8 MIT
libgcc-s1 12.2.0-14 14 lib:libgcc_s.so.1 GPL-3.0-with-GCC-exception
libgcrypt20 1.10.1-3 40 lib:libgcrypt.so.20 LGPL-2.1-or-later
libgmp10 2:6.2.1+dfsg1-1.1 24 lib:libgmp.so.10 LGPL-3.0-or-later
libgnutls30 3.7.9-2|3.7.9-2+deb12u4 60 lib:libgnutls.so.30 LGPL-2.1-or-later
libgpg-error0 1.46-1 8 lib:libgpg-error.so.0 LGPL-2.1-or-later
libidn2-0 2.3.3-1+b1 12 lib:libidn2.so.0 LGPL-3.0-or-later
liblz4-1 1.9.4-1 10 lib:liblz4.so.1 BSD-2-Clause
liblzma5 5.4.1-0.2|5.4.1-1 14 lib:liblzma.so.5 0BSD
libmount1 2.38.1-5+b1|2.38.1-5+deb12u3 14 lib:libmount.so.1 LGPL-2.1-or-later
libnettle8 3.8.1-2 16 lib:libnettle.so.8 LGPL-3.0-or-later
libp11-kit0 0.24.1-2 30 lib:libp11-kit.so.0 BSD-3-Clause
libpam-modules 1.5.2-6|1.5.2-6+deb12u1 22 lib:security/pam_unix.so BSD-3-Clause
libpam0g 1.5.2-6|1.5.2-6+deb12u1 8 lib:libpam.so.0 BSD-3-Clause
libpcre2-8-0 10.42-1 28 lib:libpcre2-8.so.0 BSD-3-Clause
libselinux1 3.4-1+b6 10 lib:libselinux.so.1 Unlicense
libstdc++6 12.2.0-14 90 lib:libstdc++.so.6 GPL-3.0-with-GCC-exception
libsystemd0 252.12-1~deb12u1|252.36-1~deb12u1 40 lib:libsystemd.so.0 LGPL-2.1-or-later
libtasn1-6 4.19.0-2 8 lib:libtasn1.so.6 LGPL-2.1-or-later
libtinfo6 6.4-4 12 lib:libtinfo.so.6 X11
libudev1 252.12-1~deb12u1|252.36-1~deb12u1 12 lib:libudev.so.1 LGPL-2.1-or-later
libunistring2 1.0-2 70 lib:libunistring.so.2 LGPL-3.0-or-later
libuuid1 2.38.1-5+b1|2.38.1-5+deb12u3 4 lib:libuuid.so.1 BSD-3-Clause
libzstd1 1.5.4+dfsg2-5 36 lib:libzstd.so.1 BSD-3-Clause
login 1:4.13+dfsg1-1+b1|1:4.13+dfsg1-1+deb12u1 12 usr/bin/login BSD-3-Clause
mawk 1.3.4.20200120-3.1 12 usr/bin/mawk GPL-2.0-only
mount 2.38.1-5+b1|2.38.1-5+deb12u3 10 usr/bin/mount GPL-2.0-or-later
ncurses-base 6.4-4 6 usr/lib/terminfo/x/xterm X11
passwd 1:4.13+dfsg1-1+b1|1:4.13+dfsg1-1+deb12u1 20 usr/bin/passwd BSD-3-Clause
perl-base 5.36.0-7|5.36.0-7+deb12u2 110 usr/bin/perl Artistic-2.0
sed 4.9-1 12 usr/bin/sed GPL-3.0-or-later
tar 1.34+dfsg-1.2|1.34+dfsg-1.2+deb12u1 24 usr/bin/tar GPL-3.0-or-later
tzdata 2023c-5|2025b-0+deb12u1 30 usr/share/zoneinfo/UTC CC-PDDC
util-linux 2.38.1-5+b1|2.38.1-5+deb12u3 40 usr/bin/findmnt GPL-2.0-or-later
zlib1g 1:1.2.13.dfsg-1 10 lib:libz.so.1 Zlib
"""

_DEBIAN_PYTHON: Final = """
ca-certificates 20230311 60 etc/ssl/certs/ca-certificates.crt MPL-2.0
curl 7.88.1-10+deb12u1|7.88.1-10+deb12u12 24 usr/bin/curl curl
libcurl4 7.88.1-10+deb12u1|7.88.1-10+deb12u12 44 lib:libcurl.so.4 curl
libexpat1 2.5.0-1|2.5.0-1+deb12u1 14 lib:libexpat.so.1 MIT
libnghttp2-14 1.52.0-1|1.52.0-1+deb12u2 12 lib:libnghttp2.so.14 MIT
libpython3.11-minimal 3.11.2-6|3.11.2-6+deb12u6 90 usr/lib/python3.11/lib-dynload/_core.so PSF-2.0
libsqlite3-0 3.40.1-2|3.40.1-2+deb12u1 80 lib:libsqlite3.so.0 blessing
libssl3 3.0.9-1|3.0.16-1~deb12u1 120 lib:libssl.so.3 Apache-2.0
media-types 10.0.0 8 etc/mime.types CC-PDDC
openssl 3.0.9-1|3.0.16-1~deb12u1 50 usr/bin/openssl Apache-2.0
python3.11-minimal 3.11.2-6|3.11.2-6+deb12u6 240 usr/bin/python3.11 PSF-2.0
"""

_DEBIAN_POSTGRES: Final = """
libicu72 72.1-3 220 lib:libicudata.so.72 ICU
libldap-2.5-0 2.5.13+dfsg-5 24 lib:libldap-2.5.so.0 OLDAP-2.8
libpq5 16.8-1.pgdg120+1|17.4-1.pgdg120+2 30 lib:libpq.so.5 PostgreSQL
libxml2 2.9.14+dfsg-1.3~deb12u1 70 lib:libxml2.so.2 MIT
postgresql-16 16.8-1.pgdg120+1|17.4-1.pgdg120+2 420 usr/lib/postgresql/bin/postgres PostgreSQL
postgresql-client-16 16.8-1.pgdg120+1|17.4-1.pgdg120+2 60 usr/lib/postgresql/bin/psql PostgreSQL
"""

_ALPINE: Final = """
alpine-baselayout 3.7.0-r0 4 etc/profile GPL-2.0-only
alpine-keys 2.5-r0 4 etc/apk/keys/demo.rsa.pub MIT
apk-tools 2.14.9-r2 30 sbin/apk GPL-2.0-only
busybox 1.37.0-r18 70 bin/busybox GPL-2.0-only
ca-certificates-bundle 20250619-r0 40 etc/ssl/certs/ca-certificates.crt MPL-2.0
libcrypto3 3.5.0-r0|3.5.1-r0 90 usr/lib/libcrypto.so.3 Apache-2.0
libssl3 3.5.0-r0|3.5.1-r0 24 usr/lib/libssl.so.3 Apache-2.0
musl 1.2.5-r10 40 lib/ld-musl.so.1 MIT
ssl_client 1.37.0-r18 4 usr/bin/ssl_client GPL-2.0-only
zlib 1.3.1-r2 8 usr/lib/libz.so.1 Zlib
"""

_ALPINE_NGINX: Final = """
nginx 1.27.4-r1|1.29.0-r1 110 usr/sbin/nginx BSD-2-Clause
pcre2 10.43-r1 30 usr/lib/libpcre2-8.so.0 BSD-3-Clause
"""

_ALPINE_NODE: Final = """
libstdc++ 14.2.0-r6 60 usr/lib/libstdc++.so.6 GPL-3.0-or-later
nodejs 20.15.1-r0|22.16.0-r2 300 usr/bin/node MIT
"""

_PYPI: Final = """
blinker 1.8.2|1.9.0 8 blinker MIT
certifi 2022.12.7|2025.7.14 30 certifi MPL-2.0
charset-normalizer 3.0.1|3.4.2 24 charset_normalizer MIT
click 8.1.3|8.2.1 30 click BSD-3-Clause
Flask 2.2.3|3.1.1 36 flask BSD-3-Clause
gunicorn 20.1.0|23.0.0 34 gunicorn MIT
idna 3.4|3.10 20 idna BSD-3-Clause
itsdangerous 2.1.2|2.2.0 8 itsdangerous BSD-3-Clause
Jinja2 3.1.2|3.1.6 44 jinja2 BSD-3-Clause
MarkupSafe 2.1.2|3.0.2 6 markupsafe BSD-3-Clause
requests 2.28.2|2.32.4 24 requests Apache-2.0
urllib3 1.26.14|2.5.0 40 urllib3 MIT
Werkzeug 2.2.3|3.1.3 60 werkzeug BSD-3-Clause
"""

_NPM: Final = """
@demo/shop-ui 2.0.0|2.1.1 20 dist/index.js Apache-2.0
cookie 0.6.0|0.7.2 4 index.js MIT
express 4.18.2|4.21.2 24 lib/express.js MIT
ms 2.1.3 3 index.js MIT
path-to-regexp 0.1.7|0.1.12 4 index.js MIT
send 0.18.0|0.19.0 8 index.js MIT
"""


# The source package of a binary one, where the names differ.
_SOURCES: Final = {
    "gpgv": "gnupg2",
    "libacl1": "acl",
    "libapt-pkg6.0": "apt",
    "libattr1": "attr",
    "libblkid1": "util-linux",
    "libbz2-1.0": "bzip2",
    "libc-bin": "glibc",
    "libc6": "glibc",
    "libcrypt1": "libxcrypt",
    "libcurl4": "curl",
    "libdb5.3": "db5.3",
    "libexpat1": "expat",
    "libffi8": "libffi",
    "libgcc-s1": "gcc-12",
    "libgnutls30": "gnutls28",
    "libgpg-error0": "libgpg-error",
    "libicu72": "icu",
    "libidn2-0": "libidn2",
    "liblz4-1": "lz4",
    "liblzma5": "xz-utils",
    "libmount1": "util-linux",
    "libnettle8": "nettle",
    "libnghttp2-14": "nghttp2",
    "libp11-kit0": "p11-kit",
    "libpam-modules": "pam",
    "libpam0g": "pam",
    "libpcre2-8-0": "pcre2",
    "libpython3.11-minimal": "python3.11",
    "libselinux1": "libselinux",
    "libsqlite3-0": "sqlite3",
    "libssl3": "openssl",
    "libstdc++6": "gcc-12",
    "libsystemd0": "systemd",
    "libtasn1-6": "libtasn1",
    "libtinfo6": "ncurses",
    "libudev1": "systemd",
    "libunistring2": "libunistring",
    "libuuid1": "util-linux",
    "libzstd1": "libzstd",
    "login": "shadow",
    "mount": "util-linux",
    "ncurses-base": "ncurses",
    "passwd": "shadow",
    "perl-base": "perl",
    "python3.11-minimal": "python3.11",
    "zlib1g": "zlib",
}


def _read(table: str, manager: str, newer: bool, architecture: str, distribution: str) -> tuple[Package, ...]:
    rows = []
    for line in table.strip().splitlines():
        name, versions, size, path, licence = line.split()
        old, _, new = versions.partition("|")
        version = new if newer and new else old
        source = _SOURCES.get(name, "") if manager == "deb" else ""
        rows.append(Package(manager, name, version, licence, architecture, distribution, source, int(size), path))
    return tuple(rows)


def debian_base(newer: bool, architecture: str) -> tuple[Package, ...]:
    """A slim Debian 12."""
    return _read(_DEBIAN, "deb", newer, architecture, "debian-12")


def debian_python(newer: bool, architecture: str) -> tuple[Package, ...]:
    """What `apt-get install python3 curl ca-certificates` adds."""
    return _read(_DEBIAN_PYTHON, "deb", newer, architecture, "debian-12")


def debian_postgres(newer: bool, architecture: str) -> tuple[Package, ...]:
    """A PostgreSQL server, 16 or 17."""
    rows = _read(_DEBIAN_POSTGRES, "deb", newer, architecture, "debian-12")
    if not newer:
        return rows
    return tuple(
        Package(
            row.manager, row.name.replace("-16", "-17"), row.version, row.licence, row.architecture,
            row.distribution, row.source, row.kilobytes, row.path,
        )
        for row in rows
    )  # fmt: skip


def alpine_base(newer: bool, architecture: str) -> tuple[Package, ...]:
    """A plain Alpine 3.22."""
    return _read(_ALPINE, "apk", newer, _APK_ARCHITECTURES[architecture], "alpine-3.22.1" if newer else "alpine-3.22.0")


def alpine_nginx(newer: bool, architecture: str) -> tuple[Package, ...]:
    """What nginx adds."""
    return _read(_ALPINE_NGINX, "apk", newer, _APK_ARCHITECTURES[architecture], "alpine-3.22.1")


def alpine_node(newer: bool, architecture: str) -> tuple[Package, ...]:
    """What Node.js adds."""
    return _read(_ALPINE_NODE, "apk", newer, _APK_ARCHITECTURES[architecture], "alpine-3.22.1")


def pypi(newer: bool) -> tuple[Package, ...]:
    """The requirements of the Python services."""
    return _read(_PYPI, "pypi", newer, "", "")


def npm(newer: bool) -> tuple[Package, ...]:
    """The production dependencies of the web shop."""
    return _read(_NPM, "npm", newer, "", "")


_APK_ARCHITECTURES: Final = {"amd64": "x86_64", "arm64": "aarch64", "arm": "armv7"}
