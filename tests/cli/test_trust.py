"""verify and scan say of the demo what its story says, and their exit codes let a pipeline stop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("cryptography", reason="the trust extra is not installed")

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        ("shop/cart:1.4.2", "verified", 0),
        ("shop/cart:1.4.0", "invalid", 3),
        ("shop/cart:1.3.9", "unsigned", 3),
        ("shop/web:2.1.0", "unverified", 3),
    ],
)
def test_verify_tells_the_story(program: Program, demo: Path, image: str, status: str, code: int) -> None:
    done = program.run("verify", f"{demo}/{image}", "--key", str(demo / "demo-trust" / "cosign.pub"), "--json")
    assert done.returncode == code, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == status
    assert told["digest"].startswith("sha256:")
    assert any(one["status"] == "verified" for one in told["signatures"]) == (status == "verified")


def test_without_a_key_nothing_is_verified(program: Program, demo: Path) -> None:
    done = program.run("verify", f"{demo}/shop/cart:1.4.2")
    assert done.returncode == 3
    assert "present but not verified" in done.stdout
    assert "--key" in done.stderr


def test_the_trust_tables_of_the_settings_count(program: Program, demo: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    (tmp_path / "demo.pub").write_bytes((demo / "demo-trust" / "cosign.pub").read_bytes())
    settings.write_text('[trust."*/shop/*"]\nkeys = ["demo.pub"]\n')
    image = f"{demo}/shop/cart:1.4.2"
    assert program.run("verify", image, "--config", str(settings)).returncode == 0
    settings.write_text('[trust."*/elsewhere/*"]\nkeys = ["demo.pub"]\n')
    assert program.run("verify", image, "--config", str(settings)).returncode == 3
    settings.write_text('[trust."*/shop/*"]\nkeys = ["missing.pub"]\n')
    broken = program.run("verify", image, "--config", str(settings))
    assert broken.returncode == 3
    assert "missing.pub" in broken.stderr


def test_a_platform_is_verified_through_its_index(program: Program, demo: Path) -> None:
    key = str(demo / "demo-trust" / "cosign.pub")
    done = program.run("verify", f"{demo}/shop/cart:1.4.2", "--key", key, "--platform", "linux/arm64", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["reason"].startswith("Through its index")
    assert told["attestations"]


def test_a_trust_policy_of_notation_verifies(program: Program, demo: Path, tmp_path: Path) -> None:
    folder, trust = tmp_path / "notation", demo / "demo-trust"
    store = folder / "truststore" / "x509" / "ca" / "demo"
    store.mkdir(parents=True)
    (store / "ca.pem").write_bytes((trust / "notation-ca.pem").read_bytes())
    policy = folder / "trustpolicy.json"
    policy.write_bytes((trust / "trustpolicy.json").read_bytes())
    good = program.run("verify", f"{demo}/infra/nginx:1.29.0-alpine", "--trust-policy", str(policy), "--json")
    assert good.returncode == 0, good.stdout
    outsider = program.run("verify", f"{demo}/infra/nginx:1.27.4-alpine", "--trust-policy", str(policy), "--json")
    assert outsider.returncode == 3
    assert json.loads(outsider.stdout)["status"] == "invalid"


@pytest.mark.parametrize(("extra", "code"), [(("--identity", "a@b.example"), 2), (("--key", "no-such-file.pub"), 1)])
def test_half_an_identity_and_a_missing_key_are_refused(
    program: Program, demo: Path, extra: tuple[str, ...], code: int
) -> None:
    done = program.run("verify", f"{demo}/shop/cart:1.4.2", *extra)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("regtui: ")


def test_scan_shows_the_attached_report_with_its_source_and_age(program: Program, demo: Path) -> None:
    done = program.run("scan", f"{demo}/shop/cart:1.4.2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["source"].startswith("attached")
    assert told["scanned_at"] == "2026-09-21T19:05:19Z"
    assert sum(told["summary"].values()) == len(told["findings"]) > 0
    plain = program.run("scan", f"{demo}/shop/cart:1.4.2")
    assert told["findings"][0]["id"] in plain.stdout
    assert "2026-09-21 19:05 UTC" in plain.stdout


def test_fail_on_decides_the_exit_code(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    counts = json.loads(program.run("scan", image, "--json").stdout)["summary"]
    assert program.run("scan", image, "--fail-on", "low").returncode == 3
    critical = program.run("scan", image, "--fail-on", "critical").returncode
    assert critical == (3 if counts["critical"] else 0)
    assert program.run("scan", image, "--fail-on", "dreadful").returncode == 2
    one = program.run("scan", f"{demo}/shop/cart:1.4.2", "--fail-on", "high")
    assert one.stderr.startswith("1 finding is high or worse.")


def test_findings_against_another_tag(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.5.0"
    told = json.loads(program.run("scan", image, "--against", "0.4.0", "--json").stdout)
    assert told["against"].partition("@")[0].endswith("shop/reports:0.4.0")
    assert told["removed"]
    new = {one["id"] for one in told["added"]}
    assert not new & {one["id"] for one in told["removed"]}
    plain = program.run("scan", image, "--against", f"{demo}/shop/reports:0.4.0")
    assert "gone" in plain.stdout
    same = program.run("scan", image, "--against", "0.5.0", "--fail-on", "negligible")
    assert (same.returncode, same.stderr) == (0, "")
    back = program.run("scan", f"{demo}/shop/reports:0.4.0", "--against", "0.5.0", "--fail-on", "high")
    assert back.returncode == 3
    assert "new findings" in back.stderr
    assert program.run("scan", image, "--against", "0.4.0", "--format", "csv").returncode == 2


def test_no_report_is_never_a_clean_one(program: Program, demo: Path) -> None:
    done = program.run("scan", f"{demo}/shop/cart:1.3.9", "--fail-on", "critical")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not known" in done.stderr


def test_other_formats(program: Program, demo: Path) -> None:
    sarif = json.loads(program.run("scan", f"{demo}/shop/cart:1.4.2", "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    rows = program.run("scan", f"{demo}/shop/cart:1.4.2", "--format", "csv").stdout.splitlines()
    assert rows[0].startswith("id,severity")
    assert len(rows) - 1 >= len(sarif["runs"][0]["tool"]["driver"]["rules"])


def test_a_scanner_that_is_not_there_is_named(program: Program, demo: Path) -> None:
    done = program.run("scan", f"{demo}/shop/cart:1.4.2", "--scanner", "nosuch", PATH="/nonexistent")
    assert done.returncode == 2
    assert "nosuch" in done.stderr


def fake_trivy(folder: Path, script: str) -> str:
    """A program of that name; the folder for PATH."""
    trivy = folder / "bin" / "trivy"
    trivy.parent.mkdir()
    trivy.write_text(f"#!/bin/sh\n{script}\n")
    trivy.chmod(0o755)
    return str(trivy.parent)


def test_a_scanner_can_not_fetch_what_lies_on_the_disk(program: Program, demo: Path, tmp_path: Path) -> None:
    path = fake_trivy(tmp_path, "exit 1")
    done = program.run("scan", f"{demo}/shop/internal/worker:0.9.0", "--scanner", "trivy", PATH=path)
    assert done.returncode == 1
    assert "on the disk" in done.stderr


def test_what_lies_on_the_disk_is_scanned_by_its_sbom(program: Program, demo: Path, tmp_path: Path) -> None:
    row = {"VulnerabilityID": "CVE-2023-45853", "PkgName": "zlib1g", "InstalledVersion": "1", "Severity": "CRITICAL"}
    report = {"SchemaVersion": 2, "ArtifactName": "sbom", "Results": [{"Target": "x", "Vulnerabilities": [row]}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    script = f"""[ "$1" = sbom ] || exit 2
while [ "$1" != --output ]; do shift; done
/bin/cat {tmp_path}/report.json > "$2" """
    path = fake_trivy(tmp_path, script)
    done = program.run("scan", f"{demo}/shop/cart:1.4.2", "--scanner", "trivy", "--json", PATH=path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["source"] == "trivy over the attached SBOM"
    assert [one["id"] for one in told["findings"]] == ["CVE-2023-45853"]


def test_vex_marks_findings_and_settles_only_where_asked(program: Program, demo: Path) -> None:
    image = f"{demo}/shop/reports:0.4.0"
    told = json.loads(program.run("scan", image, "--json").stdout)["findings"]
    marks = {one["id"]: one["vex"]["status"] for one in told if one["vex"]}
    assert marks["CVE-2023-45853"] == "not_affected"
    worst = [one for one in told if one["severity"] == "critical"]
    settled = [one for one in worst if one["vex"] and one["vex"]["status"] in {"not_affected", "fixed"}]
    assert settled
    strict = program.run("scan", image, "--fail-on", "critical")
    assert (strict.returncode, strict.stderr.split()[0]) == (3, f"{len(worst)}")
    lenient = program.run("scan", image, "--fail-on", "critical", "--respect-vex")
    assert lenient.stderr.startswith(f"{len(worst) - len(settled)} findings") or len(worst) == len(settled)
    assert lenient.returncode == (3 if len(worst) > len(settled) else 0)
