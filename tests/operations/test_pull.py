"""Pull and push: what is written here other tools read, and the other way round; nothing half-written is left."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from regtui.cli import exits
from regtui.oci import Platform
from regtui.operations.errors import Cancelled, OperationError, Refused
from regtui.operations.pulling import Destination, Form, Puller, plan_pull
from regtui.registries.archive import InvalidLayout
from regtui.registries.layout import LayoutRegistry
from regtui.storage.journal import Journal
from tests.operations.conftest import Bench, command, skopeo
from tests.registries.test_layout_write import leftovers
from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.operations.pulling import Pull, Pulled
    from tests.servers.oci11 import FakeRegistry

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


def both() -> content.Content:
    return content.index(content.image({"a": b"one"}), content.image({"a": b"two"}, platform="linux/arm64"))


async def planned(bench: Bench, locator: str, destination: Destination, **options: Any) -> Pull:
    from regtui.oci import Reference

    reference = Reference(bench.host, bench.repository, locator)
    return await plan_pull(await bench.open(bench.host), bench.reader, reference, destination, **options)


async def pull(bench: Bench, locator: str, destination: Destination, **options: Any) -> Pulled:
    made = await planned(bench, locator, destination, **options)
    return await Puller(bench.open, bench.reader, bench.journal, progress=bench.told.append).run(made)


@pytest.fixture
def place(fake: FakeRegistry, bench_of: Any) -> Bench:
    fake.put("app", both(), "v1")
    fake.put("app", content.artifact("application/vnd.test.sig", subject=both()))
    fake.put("app", content.image({"b": b"single"}), "single")
    return bench_of(fake.host, "app")


async def test_a_layout_gets_all_platforms_and_what_hangs_on_them(place: Bench, tmp_path: Path) -> None:
    pulled = await pull(place, "v1", Destination.of(str(tmp_path / "out")), referrers=True)
    assert pulled.digest == both().digest
    layout = LayoutRegistry.open(tmp_path / "out")
    found = await layout.manifest("out", "v1")
    assert found.raw == both().raw
    assert len((await layout.referrers("out", found.digest)).descriptors) == 1
    for child in found.manifests:
        image = await layout.manifest("out", child.digest)
        for blob in (image.config, *image.layers):
            assert b"".join([chunk async for chunk in layout.blob("out", blob)])
    await layout.close()
    assert not leftovers(tmp_path / "out")


async def test_a_second_pull_fetches_nothing_again_and_a_tag_is_not_overwritten(place: Bench, tmp_path: Path) -> None:
    out = Destination.of(str(tmp_path / "out"))
    first = await pull(place, "v1", out)
    again = await pull(place, "v1", out)
    assert first.bytes > 0
    assert (again.bytes, again.fetched) == (0, 0)
    with pytest.raises(Refused, match="exists"):
        await planned(place, "single", out, tag="v1")
    over = await pull(place, "single", out, tag="v1", overwrite=True)
    assert over.entry is not None
    layout = LayoutRegistry.open(tmp_path / "out")
    assert (await layout.head_manifest("out", "v1")).digest == over.digest
    place.registries[layout.host] = layout
    assert (await place.undo(over.entry)).succeeded
    assert (await layout.head_manifest("out", "v1")).digest == both().digest


async def test_platforms_are_chosen(place: Bench, tmp_path: Path) -> None:
    one = await pull(place, "v1", Destination.of(str(tmp_path / "one")), platforms=(ARM64,))
    assert one.digest == both().needs[1].digest
    all_of_them = await planned(place, "v1", Destination.of(str(tmp_path / "two")), platforms=(AMD64, ARM64))
    assert all_of_them.top == both().digest
    with pytest.raises(OperationError, match="no linux/s390x"):
        await planned(place, "v1", Destination.of(str(tmp_path / "three")), platforms=(Platform("linux", "s390x"),))


async def test_a_broken_pull_is_taken_up_where_it_broke_off(fake: FakeRegistry, bench_of: Any, tmp_path: Path) -> None:
    import random

    layer = random.Random(7).randbytes(3 << 20)
    image = content.image({"big": layer})
    fake.put("app", image, "v1")
    bench = bench_of(fake.host, "app")
    destination = Destination.of(str(tmp_path / "image.tar"))
    made = await planned(bench, "v1", destination)
    puller: Puller

    def stop(progress: Any) -> None:
        if progress.blob is not None and progress.blob.copied > 1 << 20:
            puller.cancel()

    puller = Puller(bench.open, bench.reader, bench.journal, progress=stop)
    with pytest.raises(Cancelled):
        await puller.run(made)
    assert not destination.path.exists()
    big = next(n for n in image.needs if len(n.raw) > 1 << 20)
    # The small config is fetched beside it, and may have been cut off, too.
    partial = destination.layout / "blobs" / "sha256" / f".{big.digest.removeprefix('sha256:')}.partial"
    left = partial.stat().st_size
    assert left > 1 << 20
    assert len([p for p in destination.layout.glob("blobs/sha256/[0-9a-f]*") if p.stat().st_size > 1 << 20]) == 0
    done = await pull(bench, "v1", destination)
    assert done.bytes <= len(big.raw) - left + 10_000
    assert destination.path.exists()
    assert not destination.layout.exists()
    ranges = [asked.headers.get("range") for asked in fake.asked if asked.headers.get("range")]
    assert f"bytes={left}-" in ranges


async def test_wrong_bytes_are_never_kept(fake: FakeRegistry, bench_of: Any, tmp_path: Path) -> None:
    image = content.image({"a": b"right"})
    fake.put("app", image, "v1")
    layer = next(n for n in image.needs if "layer" in n.media_type)
    fake.repositories["app"].blobs[layer.digest] = b"x" * len(layer.raw)
    bench = bench_of(fake.host, "app")
    with pytest.raises(OperationError, match="digest"):
        await pull(bench, "v1", Destination.of(str(tmp_path / "out")))
    assert not (tmp_path / "out" / "blobs" / "sha256" / layer.digest.partition(":")[2]).exists()
    assert json.loads((tmp_path / "out" / "index.json").read_bytes())["manifests"] == []


@pytest.mark.real
async def test_archives_are_read_by_skopeo(docker_registry: str, bench_of: Any, namespace: str, tmp_path: Path) -> None:
    bench = bench_of(docker_registry, f"{namespace}/app")
    bench.uploader.push(bench.repository, both(), "v1")
    oci, docker, folder = tmp_path / "oci.tar", tmp_path / "docker.tar", tmp_path / "folder"
    await pull(bench, "v1", Destination.of(str(oci)))
    made = await pull(bench, "v1", Destination.of(f"docker-archive:{docker}"), own_platform=AMD64)
    await pull(bench, "v1", Destination.of(f"oci:{folder}"))
    assert skopeo("inspect", "--raw", f"oci-archive:{oci}:v1").encode() == both().raw
    assert skopeo("inspect", "--raw", f"oci:{folder}:v1").encode() == both().raw
    assert made.digest == both().needs[0].digest
    with tarfile.open(docker) as archive:
        listed = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert listed[0]["RepoTags"] == [f"{docker_registry}/{bench.repository}:v1"]
    goal = f"docker://{docker_registry}/{namespace}/loaded:v1"
    skopeo("copy", "--dest-tls-verify=false", f"docker-archive:{docker}", goal)
    told = json.loads(skopeo("inspect", "--tls-verify=false", goal))
    assert told["Architecture"] == "amd64"
    assert told["Layers"]


@pytest.mark.real
@pytest.mark.parametrize("form", ["oci-archive", "docker-archive", "oci"])
async def test_what_skopeo_wrote_is_pushed(
    form: str, docker_registry: str, namespace: str, tmp_path: Path, own_folders: None
) -> None:
    uploader = Uploader(docker_registry)
    image = content.image({"n": form.encode()})
    digest = uploader.push(f"{namespace}/from", image, "v1")
    source = tmp_path / ("made" if form == "oci" else "made.tar")
    name = "app:v1" if form == "docker-archive" else "v1"
    skopeo(
        "copy", "--src-tls-verify=false", f"docker://{docker_registry}/{namespace}/from:v1", f"{form}:{source}:{name}"
    )
    goal = f"{docker_registry}/{namespace}/to:v1"
    assert await command("push", f"{source}:v1", goal, "--write", "--yes") == exits.DONE
    if form != "docker-archive":  # whose manifest is made anew
        assert uploader.digest_at(f"{namespace}/to", "v1") == digest
    assert json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{goal}"))["Architecture"] == "amd64"


@pytest.mark.real
async def test_the_command_pulls_and_the_archive_is_pushed_back_with_its_digest(
    olareg: str, namespace: str, tmp_path: Path, own_folders: None, capsys: Any
) -> None:
    uploader = Uploader(olareg)
    digest = uploader.push(f"{namespace}/app", both(), "v1")
    for form, name in (("layout", "out"), ("oci-archive", "out.tar")):
        target = tmp_path / name
        capsys.readouterr()
        assert await command("pull", f"{olareg}/{namespace}/app:v1", str(target), "--format", form, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told["digest"] == digest
        assert told["bytes"] > 0
        goal = f"{olareg}/{namespace}/back-{form}:v1"
        assert await command("push", f"{target}:v1", goal, "--write", "--yes") == exits.DONE
        assert uploader.digest_at(f"{namespace}/back-{form}", "v1") == digest
    place = f"{olareg}/{namespace}/app:v1"
    assert await command("pull", place, str(tmp_path / "out.tar")) == exits.REFUSED, "it exists"
    docker = f"docker-archive:{tmp_path / 'docker.tar'}"
    assert await command("pull", place, docker, "--platform", "linux/arm64") == exits.DONE
    assert (
        await command("push", f"{tmp_path / 'docker.tar'}:v1", f"{olareg}/{namespace}/arm:v1", "--write", "--yes") == 0
    )
    assert uploader.digest_at(f"{namespace}/arm", "v1") == both().needs[1].digest


def test_destinations(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    assert Destination.of(str(tmp_path / "x.tar")).form is Form.OCI
    assert Destination.of(str(tmp_path / "x")).form is Form.LAYOUT
    assert Destination.of(f"docker-archive:{tmp_path / 'x'}").form is Form.DOCKER
    with pytest.raises(OperationError, match="is a file"):
        Destination.of(str(tmp_path / "file"))
    with pytest.raises(OperationError, match="is a folder"):
        Destination.of(str(tmp_path / "folder"), Form.DOCKER)
    with pytest.raises(OperationError, match="no name"):
        Destination.of("oci:")


async def test_a_folder_that_holds_something_else_is_left_alone(place: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InvalidLayout, match=r"letter\.txt"):
        await pull(place, "v1", Destination.of(str(tmp_path / "mine")))
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    assert Journal(tmp_path / "journal").entries() == ()
