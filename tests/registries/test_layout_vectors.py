"""The archives and layouts of the shared vectors: each behaves as its README says."""

from __future__ import annotations

import pytest

from regtui.oci import Digest, Index, RegtuiError, parse_config
from regtui.registries.archive import InvalidLayout
from regtui.registries.layout import LayoutRegistry

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def opened(shared):
    """Opens an image vector by name, and closes it behind the test."""
    made = []

    def open_vector(name):
        made.append(LayoutRegistry(shared / "vectors" / "images" / name))
        return made[-1]

    yield open_vector
    for registry in made:
        await registry.close()


async def names(registry):
    return {
        repository.path: [row.name async for tags in registry.tags(repository.path) for row in tags.items]
        async for page in registry.repositories()
        for repository in page.items
    }


async def walk(registry, repository, locator, seen):
    """Read everything below a manifest, verified; counts by kind."""
    manifest = await registry.manifest(repository, locator)
    if manifest.digest in seen:
        return
    seen[manifest.digest] = manifest
    if isinstance(manifest, Index):
        for child in manifest.manifests:
            await walk(registry, repository, child.digest, seen)
        return
    for descriptor in (manifest.config, *manifest.layers):
        raw = b"".join([chunk async for chunk in registry.blob(repository, descriptor)])
        assert Digest.of(raw) == descriptor.digest
    found = await registry.referrers(repository, manifest.digest)
    for descriptor in found.descriptors:
        await walk(registry, repository, descriptor.digest, seen)


@pytest.mark.parametrize(
    ("vector", "expected", "layers"),
    [
        ("skopeo-docker-archive.tar", {"example/app": ["v1"]}, [1]),
        ("skopeo-oci-archive.tar", {"skopeo-oci-archive": ["v1"]}, [1]),
        ("test_bundle.tar", {"test_bundle": ["test_image_2", "test_image_1"]}, [1, 1]),
        ("test_link.tar", {"bazel/v1/tarball": ["test_image_1", "test_image_3"]}, [1, 2]),
        ("whiteout_image.tar", {"bazel/pkg/v1/mutate": ["whiteout_image"]}, [3]),
        ("overwritten_file.tar", {"bazel/pkg/v1/mutate": ["overwritten_file"]}, [3]),
        ("source_image_with_empty_layer_history.tar", {"bazel/pkg/v1/mutate": ["source_image"]}, [1]),
        ("dive-docker-image.tar", {"dive-test": ["latest"]}, [14]),
        ("dive-kaniko-image.tar", {"dive-test": ["kaniko-latest"]}, [14]),
    ],
)
async def test_archives_list_their_images_and_every_blob_is_right(opened, vector, expected, layers):
    registry = opened(vector)
    assert await names(registry) == expected
    counts = []
    for repository, tags in expected.items():
        for tag in tags:
            seen = {}
            await walk(registry, repository, tag, seen)
            (manifest,) = seen.values()
            counts.append(len(manifest.layers))
            config = parse_config(await registry.small_blob(repository, manifest.config))
            assert len(config.diff_ids) == len(manifest.layers)
    assert counts == layers


@pytest.mark.parametrize(
    ("vector", "images", "attestations"),
    [
        ("hello-world-v25.tar", 1, 0),
        ("buildx-hello-oci-gzip.tar", 1, 0),
        ("buildx-hello-oci-zstd.tar", 1, 0),
        ("buildx-hello-oci-multiplatform-gzip.tar", 2, 2),
    ],
)
async def test_archives_without_names_are_listed_by_digest(opened, vector, images, attestations):
    registry = opened(vector)
    ((repository, (row,)),) = (await names(registry)).items()
    assert repository == vector.removesuffix(".tar")
    seen = {}
    await walk(registry, repository, row, seen)
    top = seen[row]
    if isinstance(top, Index):
        assert (len(top.platforms), len(top.attestations)) == (images, attestations)
    else:
        assert (len(seen), attestations) == (images, 0)


@pytest.mark.parametrize(
    ("vector", "sentence"), [("null_manifest.tar", "lists no images"), ("no_manifest.tar", "neither an OCI layout")]
)
async def test_archives_that_are_none_say_so(opened, vector, sentence):
    with pytest.raises(InvalidLayout, match=sentence):
        await names(opened(vector))


@pytest.mark.parametrize(("vector", "tags", "manifests"), [("regclient-testrepo", 24, 48), ("oras-artifacts", 7, 20)])
async def test_layouts_open_every_tag_and_loops_end(opened, vector, tags, manifests):
    registry = opened(vector)
    ((repository, found),) = (await names(registry)).items()
    assert len(found) == tags
    seen, missing = {}, 0
    for tag in found:
        try:
            await walk(registry, repository, tag, seen)
        except RegtuiError:
            missing += 1
    assert missing == 0
    assert len(seen) <= manifests


async def test_regclients_referrers_are_found_without_the_api(opened):
    registry = opened("regclient-testrepo")
    v2 = (await registry.head_manifest("regclient-testrepo", "v2")).digest
    found = await registry.referrers("regclient-testrepo", v2)
    kinds = sorted(d.artifact_type for d in found.descriptors)
    assert kinds == ["application/example.sbom", "application/example.signature"]
