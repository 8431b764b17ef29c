"""Scan reports in Trivy's JSON form (SchemaVersion 2), for the sample images' own package lists.

The advisories are public ones about the versions that the samples name; the summaries are our own words.
The list is a sample and no scanner's verdict.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from regtui.demo.images import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.demo.images import Image
    from regtui.demo.packages import Package
    from regtui.oci import Descriptor

TRIVY_REPORT: Final = "application/vnd.aquasec.trivy.report+json"


@dataclass(frozen=True, slots=True)
class Advisory:
    """One row of the sample's vulnerability list: what it says about one version of one package."""

    package: str
    installed: str
    identifier: str
    severity: str
    score: float
    vector: str
    status: str
    fixed: str
    cwe: str
    title: str


# package | installed | id | severity | score | vector | status | fixed | CWE, then the title
_TABLE: Final = """
zlib1g|1:1.2.13.dfsg-1|CVE-2023-45853|CRITICAL|9.8|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H|will_not_fix||CWE-190
    zlib: overflow in the minizip part, which Debian does not build
libcurl4|7.88.1-10+deb12u1|CVE-2023-38545|CRITICAL|9.8|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H|fixed|7.88.1-10+deb12u4|CWE-787
    curl: heap overflow in the SOCKS5 proxy handshake
curl|7.88.1-10+deb12u1|CVE-2023-38545|CRITICAL|9.8|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H|fixed|7.88.1-10+deb12u4|CWE-787
    curl: heap overflow in the SOCKS5 proxy handshake
certifi|2022.12.7|CVE-2023-37920|CRITICAL|9.8|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H|fixed|2023.7.22|CWE-345
    certifi: withdrawn e-Tugra root certificates are still trusted
libc6|2.36-9+deb12u1|CVE-2023-4911|HIGH|7.8|AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H|fixed|2.36-9+deb12u3|CWE-787
    glibc: overflow in ld.so through GLIBC_TUNABLES gives root
libc6|2.36-9+deb12u1|CVE-2024-2961|HIGH|7.3|AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:L|fixed|2.36-9+deb12u6|CWE-787
    glibc: out of bounds write in iconv for ISO-2022-CN-EXT
libssl3|3.0.9-1|CVE-2023-5363|HIGH|7.5|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N|fixed|3.0.11-1~deb12u2|CWE-684
    openssl: key and initialisation vector lengths are handled wrongly
libgnutls30|3.7.9-2|CVE-2024-0553|HIGH|7.5|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N|fixed|3.7.9-2+deb12u2|CWE-203
    gnutls: timing side channel in the RSA-PSK key exchange
libnghttp2-14|1.52.0-1|CVE-2023-44487|HIGH|7.5|AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H|fixed|1.52.0-1+deb12u1|CWE-400
    HTTP/2: rapid stream resets exhaust a server
perl-base|5.36.0-7|CVE-2023-47038|HIGH|7.8|AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H|fixed|5.36.0-7+deb12u1|CWE-787
    perl: overflow when a regular expression with a user property is compiled
Werkzeug|2.2.3|CVE-2024-34069|HIGH|7.5|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N|fixed|3.0.3|CWE-352
    werkzeug: the debugger runs code for a page on a domain of the attacker
gunicorn|20.1.0|CVE-2024-1135|HIGH|7.5|AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N|fixed|22.0.0|CWE-444
    gunicorn: request smuggling through Transfer-Encoding
Flask|2.2.3|CVE-2023-30861|HIGH|7.5|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N|fixed|2.3.2, 2.2.5|CWE-488
    flask: a cached answer can hand a session cookie to somebody else
libssl3|3.0.9-1|CVE-2023-5678|MEDIUM|5.3|AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L|fixed|3.0.13-1~deb12u1|CWE-606
    openssl: generating or checking very long X9.42 DH keys is slow
openssl|3.0.9-1|CVE-2023-5678|MEDIUM|5.3|AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L|fixed|3.0.13-1~deb12u1|CWE-606
    openssl: generating or checking very long X9.42 DH keys is slow
libpam0g|1.5.2-6|CVE-2024-22365|MEDIUM|5.5|AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H|fix_deferred||CWE-664
    pam: mkfifo in place of a directory blocks pam_namespace
libblkid1|2.38.1-5+b1|CVE-2024-28085|LOW|3.3|AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N|fixed|2.38.1-5+deb12u1|CWE-150
    util-linux: wall passes escape sequences to other terminals
Jinja2|3.1.2|CVE-2024-22195|MEDIUM|6.1|AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N|fixed|3.1.3|CWE-79
    jinja2: the xmlattr filter lets attributes be injected
Jinja2|3.1.2|CVE-2024-34064|MEDIUM|5.4|AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N|fixed|3.1.4|CWE-79
    jinja2: the xmlattr filter takes keys that are no attribute names
requests|2.28.2|CVE-2023-32681|MEDIUM|6.1|AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N|fixed|2.31.0|CWE-200
    requests: Proxy-Authorization goes to the server after a redirect
urllib3|1.26.14|CVE-2023-43804|MEDIUM|5.9|AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:N|fixed|2.0.6, 1.26.17|CWE-200
    urllib3: a Cookie header is kept across a redirect to another host
urllib3|1.26.14|CVE-2023-45803|MEDIUM|4.2|AV:A/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N|fixed|2.0.7, 1.26.18|CWE-200
    urllib3: the body is kept when a redirect turns into GET
apt|2.6.1|CVE-2011-3374|LOW|3.7|AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N|affected||CWE-347
    apt: apt-key does not check keys against their master keyring
libc6|2.36-9+deb12u1|CVE-2019-1010022|LOW|9.8|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H|affected||CWE-119
    glibc: the stack guard can be bypassed; upstream does not count it as a flaw
libc6|2.36-9+deb12u10|CVE-2019-1010022|LOW|9.8|AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H|affected||CWE-119
    glibc: the stack guard can be bypassed; upstream does not count it as a flaw
tar|1.34+dfsg-1.2|CVE-2005-2541|LOW|0|-|affected||CWE-732
    tar: setuid bits are restored without a warning
tar|1.34+dfsg-1.2+deb12u1|CVE-2005-2541|LOW|0|-|affected||CWE-732
    tar: setuid bits are restored without a warning
libcurl4|7.88.1-10+deb12u1|CVE-2023-38546|LOW|3.7|AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N|fixed|7.88.1-10+deb12u4|CWE-73
    curl: cookies can be injected by a file with the name none
bash|5.2.15-2+b2|TEMP-0841856-B18BAF|UNKNOWN|0|-|affected||
    bash: privilege escalation through a function of another user
"""


def _read() -> Iterator[Advisory]:
    lines = _TABLE.strip().splitlines()
    for facts, title in zip(lines[::2], lines[1::2], strict=True):
        package, installed, identifier, severity, score, vector, status, fixed, cwe = facts.split("|")
        yield Advisory(
            package, installed, identifier, severity, float(score), vector.strip("-"), status, fixed, cwe, title.strip()
        )


def trivy_report(image: Image, name: str, tag: str, subject: Descriptor) -> dict[str, Any]:
    """A report about an image. `subject` is what it hangs on: the image itself or its index."""
    advisories: dict[tuple[str, str], list[Advisory]] = {}
    for advisory in _read():
        advisories.setdefault((advisory.package, advisory.installed), []).append(advisory)
    found: dict[str, list[dict[str, Any]]] = {"deb": [], "pypi": []}
    for package, number in image.packages():
        rows = advisories.get((package.name, package.version), [])
        found.setdefault(package.manager, []).extend(_finding(row, package, image, number) for row in rows)
    when = image.recipe.created + timedelta(hours=6)
    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": "sample"},
        "ReportID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{subject.digest} report")),
        "CreatedAt": stamp(when),
        "ArtifactName": f"{name}:{tag}",
        "ArtifactType": "container_image",
        "Metadata": {
            "OS": {"Family": "debian", "Name": "12"},
            "DiffIDs": [str(item) for item in image.diff_ids],
            "RepoTags": [f"{name}:{tag}"],
            "RepoDigests": [f"{name}@{subject.digest}"],
            "Layers": [
                {"Size": layer.size, "Digest": str(layer.digest), "DiffID": str(diff_id)}
                for layer, diff_id in zip(image.layers, image.diff_ids, strict=True)
            ],
        },
        "Results": [
            {
                "Target": f"{name}:{tag} (debian 12)",
                "Class": "os-pkgs",
                "Type": "debian",
                "Vulnerabilities": found["deb"],
            },
            {"Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg", "Vulnerabilities": found["pypi"]},
        ],
    }


def _finding(row: Advisory, package: Package, image: Image, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "VulnerabilityID": row.identifier,
        "PkgID": f"{package.name}@{package.version}",
        "PkgName": package.name,
        "PkgIdentifier": {"PURL": package.purl},
        "InstalledVersion": package.version,
    }
    if row.fixed:
        made["FixedVersion"] = row.fixed
    made |= {
        "Status": row.status,
        "Layer": {"Digest": str(image.layers[number].digest), "DiffID": str(image.diff_ids[number])},
        "SeveritySource": "debian" if package.manager == "deb" else "ghsa",
        "Title": row.title,
        "Description": f"{row.title[0].upper()}{row.title[1:]}. A summary for the sample; see the advisory itself.",
        "Severity": row.severity,
    }
    if row.identifier.startswith("CVE-"):
        made["PrimaryURL"] = f"https://nvd.nist.gov/vuln/detail/{row.identifier}"
    if row.cwe:
        made["CweIDs"] = [row.cwe]
    if row.vector:
        made["CVSS"] = {"nvd": {"V3Vector": f"CVSS:3.1/{row.vector}", "V3Score": row.score}}
    return made
