"""Configs, history joined with layers, times, tags, platforms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Descriptor, Digest, ImageManifest, InvalidReference, Platform, join_history, parse_config
from regtui.oci.history import instruction
from regtui.oci.tags import natural_key, referrers_tag, subject_of, version_key
from regtui.oci.times import format_time, is_reproducible, parse_time

HEX = "ab" * 32


def manifest(layers: int) -> ImageManifest:
    descriptors = tuple(Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(bytes([n])), n)
                        for n in range(layers))  # fmt: skip
    config = Descriptor("application/vnd.oci.image.config.v1+json", Digest.of(b"{}"), 2)
    return ImageManifest(b"", "application/vnd.oci.image.manifest.v1+json", Digest.of(b""), None, None, {}, config,
                         descriptors)  # fmt: skip


def config(**body: Any) -> Any:
    return parse_config(json.dumps(body).encode())


def test_what_runs() -> None:
    read = config(
        os="linux", architecture="arm", variant="v7", created="2026-01-02T03:04:05.123456789Z",
        config={"User": "10001", "Entrypoint": ["/app"], "Cmd": "x", "Env": ["A=1", 2], "Labels": {"a": "b", "c": 3},
                "ExposedPorts": {"8080/tcp": {}}, "Healthcheck": {"Test": ["NONE"]}},
    )  # fmt: skip
    assert read.platform == Platform("linux", "arm", "v7")
    assert read.created == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    assert (read.user, read.entrypoint, read.cmd, read.env) == ("10001", ("/app",), ("x",), ("A=1",))
    assert dict(read.labels) == {"a": "b"}
    assert read.exposed_ports == ("8080/tcp",)
    assert read.working_dir is None


def test_history_is_joined_with_the_layers_it_made() -> None:
    read = config(
        rootfs={"diff_ids": [str(Digest.of(b"a")), str(Digest.of(b"b"))]},
        history=[{"created_by": "ADD x"}, {"created_by": "ENV a=b", "empty_layer": True}, {"created_by": "RUN y"}],
    )
    steps = join_history(manifest(2), read)
    assert [(s.number, s.instruction, s.diff_id) for s in steps] == [
        (1, "ADD x", Digest.of(b"a")),
        (None, "ENV a=b", None),
        (2, "RUN y", Digest.of(b"b")),
    ]


def test_a_history_that_does_not_fit_is_not_trusted() -> None:
    read = config(history=[{"created_by": "one"}, {"created_by": "two"}])
    steps = join_history(manifest(3), read)
    assert [(s.number, s.entry, s.diff_id) for s in steps] == [(1, None, None), (2, None, None), (3, None, None)]
    assert [s.number for s in join_history(manifest(1), None)] == [1]


@pytest.mark.parametrize(
    ("created_by", "shown"),
    [
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("COPY /app /app # buildkit", "COPY /app /app"),
        ("|1 VERSION=2 /bin/sh -c make", "RUN make"),
        ("# debian.sh --arch 'amd64' out/", "# debian.sh --arch 'amd64' out/"),
        ("", ""),
    ],
)
def test_instructions_read_like_a_dockerfile(created_by: str, shown: str) -> None:
    assert instruction(created_by) == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T18:02:00Z", "2026-11-23T18:02:00Z"),
        ("2026-11-23T18:02:00.123456789+02:00", "2026-11-23T16:02:00Z"),
        ("2026-11-23 18:02:00", "2026-11-23T18:02:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-13-01T00:00:00Z", None),
        ("soon", None),
        (5, None),
    ],
)
def test_times(text: Any, expected: str | None) -> None:
    assert format_time(parse_time(text)) == expected


def test_constants_instead_of_dates_are_recognised() -> None:
    assert is_reproducible(parse_time("1970-01-01T00:00:00Z"))
    assert is_reproducible(parse_time("1980-01-01T00:00:01Z"))
    assert is_reproducible(parse_time("0001-01-01T00:00:00Z"))
    assert not is_reproducible(parse_time("2026-01-01T00:00:00Z"))
    assert not is_reproducible(None)


def test_orders() -> None:
    tags = ["v1.10", "v1.9", "v1.2", "2.0", "latest", "1.10.0-rc.1", "1.10.0"]
    assert sorted(tags, key=natural_key)[-3:] == ["v1.2", "v1.9", "v1.10"]
    assert sorted(tags, key=version_key) == ["latest", "v1.2", "v1.9", "1.10.0-rc.1", "v1.10", "1.10.0", "2.0"]


@given(st.text(max_size=40))
def test_every_tag_has_both_keys(tag: str) -> None:
    assert isinstance(natural_key(tag), str)
    assert version_key(tag) == version_key(tag)


def test_tags_that_hang_on_an_image() -> None:
    assert subject_of(f"sha256-{HEX}") == (f"sha256:{HEX}", "")
    assert subject_of(f"sha256-{HEX}.sig") == (f"sha256:{HEX}", ".sig")
    assert subject_of("main-" + "a" * 40) is None
    assert subject_of(f"sha256-{HEX[:40]}") is None
    assert referrers_tag(f"sha256:{HEX}") == f"sha256-{HEX}"
    assert referrers_tag("sha512:" + "c" * 128) == "sha512-" + "c" * 64
    assert referrers_tag("a+b:x=y") == "a-b-x-y"


def test_platforms() -> None:
    assert str(Platform.parse("linux/arm/v7")) == "linux/arm/v7"
    assert Platform.parse("linux/arm64").matches(Platform.parse("linux/arm64/v8"))
    assert not Platform.parse("linux/arm/v6").matches(Platform.parse("linux/arm/v7"))
    assert Platform.parse("linux/amd64").short == "amd64"
    for bad in ("", "linux", "linux/", "a/b/c/d", "//"):
        with pytest.raises(InvalidReference):
            Platform.parse(bad)


platforms = st.builds(
    Platform, st.sampled_from(["linux", "windows"]), st.sampled_from(["amd64", "arm"]), st.sampled_from(["", "v7"]),
    st.sampled_from(["", "10.0"]), st.lists(st.sampled_from(["win32k"]), max_size=1).map(tuple),
)  # fmt: skip


@given(platforms)
def test_platforms_survive_json(platform: Platform) -> None:
    assert Platform.from_json(json.loads(json.dumps(platform.to_json()))) == platform
