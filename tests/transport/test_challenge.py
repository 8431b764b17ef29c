"""WWW-Authenticate in every form that registries write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.transport.challenge import choose, read_challenges
from regtui.transport.scopes import merge_scopes, split_scopes


@pytest.mark.parametrize(
    ("text", "scheme", "parameters"),
    [
        (
            'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
            "bearer",
            {"realm": "https://auth.example/token", "service": "reg", "scope": "repository:a/b:pull,push"},
        ),
        ('Basic realm="basic-realm"', "basic", {"realm": "basic-realm"}),
        ("basic realm=zot", "basic", {"realm": "zot"}),
        ('BEARER Realm = "x" , Service="y"', "bearer", {"realm": "x", "service": "y"}),
        ('Basic realm="say \\"hi\\", please"', "basic", {"realm": 'say "hi", please'}),
        ("Basic", "basic", {}),
        ('Bearer realm="unterminated', "bearer", {"realm": "unterminated"}),
        ('Bearer ,,  realm="x",', "bearer", {"realm": "x"}),
        (
            "Bearer realm=https://a.example/t?x=1,service=r",
            "bearer",
            {"realm": "https://a.example/t?x=1", "service": "r"},
        ),
        ('Bearer realm="x",scope="a:b:pull",scope="a:c:pull"', "bearer", {"realm": "x", "scope": "a:b:pull a:c:pull"}),
        ('Bearer realm="one",realm="two"', "bearer", {"realm": "one"}),
        ('Bearer realm=""', "bearer", {"realm": ""}),
    ],
)
def test_one_challenge(text: str, scheme: str, parameters: dict[str, str]) -> None:
    (challenge,) = read_challenges([text])
    assert (challenge.scheme, dict(challenge.parameters)) == (scheme, parameters)


def test_several_challenges_in_one_field_and_in_several() -> None:
    one = read_challenges(['Basic realm="a", Bearer realm="b",service="c", Negotiate'])
    two = read_challenges(['Bearer realm="b",service="c"', 'Basic realm="a"'])
    assert [challenge.scheme for challenge in one] == ["basic", "bearer", "negotiate"]
    assert [challenge.scheme for challenge in two] == ["bearer", "basic"]
    assert choose(one) == choose(two)


@pytest.mark.parametrize("fields", [[], [""], ["   ,"], ['realm="x"'], ["=", '"'], ["Negotiate YII=="], ["Bearer"]])
def test_nothing_to_answer(fields: list[str]) -> None:
    assert choose(read_challenges(fields)) is None


def test_basic_is_chosen_when_bearer_names_no_realm() -> None:
    challenge = choose(read_challenges(['Bearer service="x", Basic realm="y"']))
    assert challenge is not None
    assert challenge.scheme == "basic"


@given(st.lists(st.text(max_size=200), max_size=5))
def test_any_text_is_read_without_an_error(fields: list[str]) -> None:
    for challenge in read_challenges(fields):
        assert challenge.scheme == challenge.scheme.lower()


@given(st.text(alphabet='Bearer realm="x\\",= ', max_size=300))
def test_odd_quoting_is_read_without_an_error(text: str) -> None:
    choose(read_challenges([text]))


def test_a_long_field_takes_no_time() -> None:
    assert read_challenges(['Bearer realm="' + "\\" * 1_000_000, "," * 1_000_000])


def test_scopes_are_merged_by_resource() -> None:
    assert merge_scopes(["repository:a/b:pull"], ["repository:a/b:push", "registry:catalog:*"]) == (
        "registry:catalog:*",
        "repository:a/b:pull,push",
    )
    assert merge_scopes(["repository:host:5000/a:delete,pull"]) == ("repository:host:5000/a:pull,delete",)
    assert merge_scopes(["odd", "odd"], [":", "a:b"]) == (":", "a:b", "odd")
    assert merge_scopes() == ()


def test_scopes_are_split_at_spaces_and_bounded() -> None:
    assert split_scopes(" a:b:c   d:e:f ") == ("a:b:c", "d:e:f")
    assert len(split_scopes("a:b:c " * 10_000)) == 32


@given(st.lists(st.text(alphabet="ab:,* ", max_size=20), max_size=8))
def test_merging_twice_changes_nothing(scopes: list[str]) -> None:
    once = merge_scopes(scopes)
    assert merge_scopes(once) == once
