"""Programs of others read the demo: skopeo and umoci the layout, cosign and notation what a real registry serves."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from regtui.oci import media_types
from regtui.oci.tags import referrers_tag
from tests.servers.tools import require
from tests.servers.upload import Uploader

pytestmark = pytest.mark.real


def run(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


@pytest.mark.parametrize("name", ["shop/cart:1.4.2", "shop/reports:0.4.0", "base/alpine:3", "lab/odd:zstd"])
def test_skopeo_inspects_images_of_the_layout(layout, names, name):
    done = run(require("skopeo"), "inspect", f"oci:{layout.folder}:{name}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Digest"] == names[name]["digest"]


@pytest.mark.parametrize("name", ["shop/cart:1.4.2", "charts/cart:1.0.0", "shop/web:latest"])
def test_skopeo_copies_with_every_blob_checked(layout, tmp_path, name):
    done = run(require("skopeo"), "copy", "--all", f"oci:{layout.folder}:{name}", f"oci:{tmp_path}/copy:it")
    assert done.returncode == 0, done.stderr


def test_umoci_unpacks_the_wasteful_image(layout, tmp_path):
    bundle = tmp_path / "bundle"
    done = run(require("umoci"), "unpack", "--rootless", "--image", f"{layout.folder}:shop/reports:0.4.0", str(bundle))
    assert done.returncode == 0, done.stderr
    root = bundle / "rootfs"
    reports = root / "opt/reports"
    assert sorted(p.name for p in reports.iterdir()) == ["README.md", "backup", "current", "data", "lib", "reports"]
    assert [p.name for p in (root / "root/.cache/pip/http").iterdir()] == ["99"]
    assert (root / "var/cache/apt/pkgcache.bin").is_file()
    assert (root / "usr/bin/perl").samefile(root / "usr/bin/perl5.36.0")
    assert os.readlink(root / "usr/bin/ls") == "coreutils"


def test_umoci_unpacks_odd_names(layout, tmp_path):
    bundle = tmp_path / "bundle"
    done = run(require("umoci"), "unpack", "--rootless", "--image", f"{layout.folder}:lab/odd:names", str(bundle))
    assert done.returncode == 0, done.stderr
    root = os.fsencode(bundle / "rootfs")
    found = set(os.listdir(root + b"/names"))
    assert b"latin-1-\xe9t\xe9.txt" in found
    assert "right-to-left-\u202egnp.exe".encode() in found
    assert any(len(name) > 200 for name in found)
    assert os.listdir(root + b"/gone") == [b"by-opaque"]
    assert os.listdir(root + b"/gone/by-opaque") == [b"above.txt"]
    assert os.path.isdir(root + b"/swap/was-file")
    assert os.path.isfile(root + b"/swap/was-directory")


CART = ("1.3.9", "1.4.0", "1.4.1", "1.4.2", "1.5.0-beta.1")


def push(uploader: Uploader, demo, repository: str, entry: dict, locator: str) -> None:
    """A manifest with everything below it."""
    raw = demo.blobs[entry["digest"]]
    body = json.loads(raw)
    for child in body.get("manifests", []):
        push(uploader, demo, repository, child, child["digest"])
    for blob in (*body.get("layers", []), *([body["config"]] if "config" in body else [])):
        uploader.blob(repository, demo.blobs[blob["digest"]], blob["digest"])
    kind = {"Content-Type": entry["mediaType"]}
    status, _, said = uploader.request("PUT", f"/v2/{repository}/manifests/{locator}", raw, kind)
    assert status == 201, (status, said)


def push_referrers(uploader: Uploader, demo, repository: str, digest: str, found: list[dict]) -> None:
    """What hangs on a digest, listed under the referrers tag as clients do where the API is missing."""
    for referrer in found:
        push(uploader, demo, repository, referrer, referrer["digest"])
    listed = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": found}
    path = f"/v2/{repository}/manifests/{referrers_tag(digest)}"
    kind = {"Content-Type": media_types.OCI_INDEX}
    assert uploader.request("PUT", path, json.dumps(listed).encode(), kind)[0] == 201


@pytest.fixture(scope="module")
def pushed(docker_registry, demo, names, document, referrers):
    """The host of a registry that has images of the demo with what hangs on them and on their platforms."""
    uploader = Uploader(docker_registry)
    for name in (*(f"shop/cart:{tag}" for tag in CART), "shop/web:2.1.0", "shop/web:2.1.1"):
        repository, _, tag = name.partition(":")
        digest = names[name]["digest"]
        push(uploader, demo, repository, names[name], tag)
        for attached in (f"{referrers_tag(digest)}.sig", f"{referrers_tag(digest)}.att"):
            if f"{repository}:{attached}" in names:
                push(uploader, demo, repository, names[f"{repository}:{attached}"], attached)
        for subject in (digest, *(child["digest"] for child in document(digest)["manifests"])):
            if found := referrers(subject):
                push_referrers(uploader, demo, repository, subject, found)
    return docker_registry


def cosign(verb: str, layout, reference: str, *more: str) -> subprocess.CompletedProcess[str]:
    options = ("--insecure-ignore-tlog=true", "--allow-http-registry", "--allow-insecure-registry")
    key = str(layout.trust / "cosign.pub")
    return run(require("cosign"), verb, "--key", key, *options, *more, reference)


@pytest.mark.parametrize("name", ["shop/cart:1.4.2", "shop/cart:1.4.1"])
def test_cosign_takes_the_tag_signatures(layout, pushed, names, name):
    done = cosign("verify", layout, f"{pushed}/{name}", "--new-bundle-format=false")
    assert done.returncode == 0, done.stderr
    claims = json.loads(done.stdout)
    assert claims[0]["critical"]["image"]["docker-manifest-digest"] == names[name]["digest"]


@pytest.mark.parametrize("name", ["shop/cart:1.5.0-beta.1", "shop/web:2.1.1"])
def test_cosign_takes_the_bundles(layout, pushed, name):
    done = cosign("verify", layout, f"{pushed}/{name}")
    assert done.returncode == 0, done.stderr


def test_cosign_takes_the_attestation_tag(layout, pushed):
    done = cosign(
        "verify-attestation", layout, f"{pushed}/shop/cart:1.4.2", "--type", "custom", "--new-bundle-format=false"
    )
    assert done.returncode == 0, done.stderr


def test_cosign_takes_the_provenance_of_a_platform(layout, pushed, names, document):
    platform = document(names["shop/cart:1.4.2"]["digest"])["manifests"][0]["digest"]
    done = cosign("verify-attestation", layout, f"{pushed}/shop/cart@{platform}", "--type", "slsaprovenance1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shop/cart:1.4.0", "invalid or missing digest in claim"),
        ("shop/cart:1.3.9", "no signatures found"),
        ("shop/web:2.1.0", "signature"),
    ],
)
def test_cosign_refuses_a_borrowed_signature_none_and_a_strangers(layout, pushed, name, reason):
    done = cosign("verify", layout, f"{pushed}/{name}")
    assert done.returncode != 0
    assert reason in done.stderr


def test_notation_verifies_with_the_demo_root(layout, pushed, tmp_path):
    store = tmp_path / "notation/truststore/x509/ca/demo"
    store.mkdir(parents=True)
    (store / "ca.pem").write_bytes((layout.trust / "notation-ca.pem").read_bytes())
    (tmp_path / "notation/trustpolicy.json").write_bytes((layout.trust / "trustpolicy.json").read_bytes())
    settings = {"XDG_CONFIG_HOME": str(tmp_path)}
    done = run(require("notation"), "verify", "--insecure-registry", f"{pushed}/shop/cart:1.4.2", env=settings)
    assert done.returncode == 0, done.stderr
    assert "Successfully verified" in done.stdout + done.stderr
