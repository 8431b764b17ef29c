"""References: the vectors of distribution/reference, and parse → print → parse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.oci import Digest, InvalidDigest, InvalidReference, Reference

HEX = "ab" * 32

GOOD = [
    ("ubuntu:22.04", "docker.io", "library/ubuntu", "22.04"),
    ("docker.io/ubuntu", "docker.io", "library/ubuntu", "latest"),
    ("index.docker.io/ubuntu", "docker.io", "library/ubuntu", "latest"),
    ("bitnami/redis", "docker.io", "bitnami/redis", "latest"),
    ("localhost/foo", "localhost", "foo", "latest"),
    ("localhost:5000", "docker.io", "library/localhost", "5000"),
    ("foo:5000/bar", "foo:5000", "bar", "latest"),
    ("example.com", "docker.io", "library/example.com", "latest"),
    ("Foo/bar", "Foo", "bar", "latest"),
    ("[::1]:5000/x", "[::1]:5000", "x", "latest"),
    ("[::1]/x:1", "[::1]", "x", "1"),
    ("docker.io/library", "docker.io", "library/library", "latest"),
    ("a__b", "docker.io", "library/a__b", "latest"),
    ("a--b", "docker.io", "library/a--b", "latest"),
    ("r.example.com:443/a/b.c/d-e:V1.0_x-y", "r.example.com:443", "a/b.c/d-e", "V1.0_x-y"),
]
BAD = [
    "foo/Bar", "a___b", "a..b", "a.-b", "-a", "a/", "a:", "foo.com//bar", "foo_bar.com:8080/x", "https://x.io/y",
    HEX, "x:" + "t" * 129, "x@sha256:" + "a" * 40, "", "/", ":", "@", "x@", "x:t@sha256:" + "g" * 64, "x y", "x\n",
    "ü/b", "a" * 300, "x" * 3000, "[::1/x",
]  # fmt: skip


@pytest.mark.parametrize(("text", "host", "path", "tag"), GOOD)
def test_reads_what_docker_reads(text: str, host: str, path: str, tag: str) -> None:
    reference = Reference.parse(text)
    assert (reference.host, reference.path, reference.tag, reference.digest) == (host, path, tag, None)


@pytest.mark.parametrize("text", BAD)
def test_refuses_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        Reference.parse(text)
    assert caught.value.sentence.endswith(".")
    assert caught.value.hint
    assert len(str(caught.value)) < 400


def test_a_digest_decides_over_the_tag() -> None:
    reference = Reference.parse(f"x:t@sha256:{HEX}")
    assert reference.tag == "t"
    assert reference.locator == f"sha256:{HEX}"
    assert str(reference) == f"docker.io/library/x:t@sha256:{HEX}"
    assert Reference.parse(f"x@sha256:{HEX}").tag is None


def test_without_a_default_tag_it_names_the_repository() -> None:
    reference = Reference.parse("ghcr.io/a/b", default_tag=None)
    assert reference.tag is None
    with pytest.raises(InvalidReference):
        _ = reference.locator


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("docker.io/bitnami/redis:1", "bitnami/redis:1"),
        ("ghcr.io/a/b:1", "ghcr.io/a/b:1"),
        ("docker.io/library/localhost:5000", "localhost:5000"),
        ("docker.io/localhost/x:1", "docker.io/localhost/x:1"),
    ],
)
def test_the_familiar_form_reads_back(text: str, short: str) -> None:
    reference = Reference.parse(text)
    assert reference.familiar == short
    assert Reference.parse(reference.familiar) == reference


def test_with_tag_checks_the_tag() -> None:
    reference = Reference.parse("x:1")
    assert str(reference.with_tag("v2")) == "docker.io/library/x:v2"
    with pytest.raises(InvalidReference):
        reference.with_tag("no spaces")


component = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}", fullmatch=True)
hosts = st.one_of(
    st.just("localhost"),
    st.from_regex(r"[a-z0-9]{1,8}\.[a-z]{2,5}(:[0-9]{1,5})?", fullmatch=True),
    st.from_regex(r"\[[0-9a-f:]{2,12}\](:[0-9]{1,5})?", fullmatch=True),
)
references = st.builds(
    Reference,
    hosts.filter(lambda h: h != "index.docker.io"),
    st.lists(component, min_size=1, max_size=4).map("/".join),
    st.one_of(st.none(), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)),
    st.one_of(st.none(), st.binary(max_size=4).map(Digest.of)),
)


@given(references)
def test_print_then_parse_gives_the_same(reference: Reference) -> None:
    if reference.host == "docker.io" and "/" not in reference.path:
        return
    assert Reference.parse(str(reference), default_tag=None) == reference


@given(st.text(max_size=300))
def test_any_text_gives_a_reference_or_a_sentence(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return
    assert Reference.parse(str(reference)) == reference
    assert str(reference).isprintable()


def test_a_locator_is_a_tag_or_a_digest():
    digest = Digest.of(b"x")
    assert str(Reference.at("r.test", "a/b", "v1")) == "r.test/a/b:v1"
    assert str(Reference.at("r.test", "a/b", digest)) == f"r.test/a/b@{digest}"
    with pytest.raises(InvalidDigest):
        Reference.at("r.test", "a/b", "sha256:x")
