"""Trust settings: which policy covers a repository, what makes two policies different, and mistakes in the file."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from regtui.trust.errors import InvalidPolicy
from regtui.trust.identity import IdentityRule, Matcher
from regtui.trust.policy import Scope, TrustPolicy, TrustSettings
from regtui.trust.trust_root import parse_trust_root, shipped_trust_root
from regtui.trust.trust_settings import read_trust_settings
from tests.trust.makers import SUBJECT, Notary, make_key, pem_of, trusted

if TYPE_CHECKING:
    from pathlib import Path


def test_the_most_exact_pattern_decides_and_nothing_adds_up() -> None:
    patterns = ("*", "ghcr.io", "ghcr.io/acme/*", "ghcr.io/acme/app", "*/library/nginx")
    settings = TrustSettings(tuple(Scope(one, TrustPolicy(one)) for one in patterns))
    for repository, name in (
        ("quay.io/x/y", "*"),
        ("ghcr.io/other/app", "ghcr.io"),
        ("ghcr.io/acme/tool", "ghcr.io/acme/*"),
        ("ghcr.io/acme/deep/tool", "ghcr.io/acme/*"),
        ("ghcr.io/acme/app", "ghcr.io/acme/app"),
        ("docker.io/library/nginx", "*/library/nginx"),
        ("ghcr.iox/acme/app", "*"),
    ):
        assert settings.policy_for(repository).name == name, repository
    assert TrustSettings().policy_for("x/y") == TrustPolicy()
    assert not TrustPolicy().trusts_anyone
    with pytest.raises(InvalidPolicy):
        Scope("", TrustPolicy())


def test_a_cached_verdict_is_never_used_under_another_policy() -> None:
    key, other = trusted(make_key("p256")), trusted(make_key("p256"))
    rule = IdentityRule.exact("a@b.example", "https://issuer.example")
    notary = Notary()
    base = TrustPolicy("acme", keys=(key,))
    different = [
        base,
        TrustPolicy("other", keys=(key,)),
        TrustPolicy("acme", keys=(other,)),
        TrustPolicy("acme", keys=(dataclasses.replace(key, name="renamed"),)),
        TrustPolicy("acme", keys=(key,), identities=(rule,)),
        TrustPolicy("acme", keys=(key,), identities=(IdentityRule(Matcher("a@b.example", True), rule.issuer),)),
        TrustPolicy("acme", keys=(key,), authorities=(b"x",)),
        TrustPolicy("acme", keys=(key,), notation=notary.trust()),
        TrustPolicy("acme", keys=(key,), notation=notary.trust(name="renamed")),
        TrustPolicy("acme", keys=(key,), notation=notary.trust(stores={"ca": [notary.leaf]})),
        TrustPolicy("acme", keys=(key,), require_log=True),
        TrustPolicy("acme", keys=(key,), check_reference=True),
        TrustPolicy("acme", keys=(key,), trust_root=shipped_trust_root()),
    ]
    keys = [policy.cache_key(SUBJECT, "r.example/a") for policy in different]
    assert len(set(keys)) == len(keys)
    assert TrustPolicy("acme", keys=(key,)).fingerprint == base.fingerprint
    assert base.cache_key(SUBJECT, "r.example/b") != keys[0]


def test_rules_fit_whole_texts_and_keyless_ones_need_an_issuer() -> None:
    from datetime import UTC, datetime

    from regtui.trust.certificates import CertificateIdentity

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    hostile = "https://evil.example/?https://github.com/acme/x"
    who = CertificateIdentity(("https://github.com/acme/x",), "https://issuer.example", "", "", None, moment, moment)
    pattern = IdentityRule(Matcher("https://github.com/acme/.*", True), Matcher("https://issuer.example"))
    assert pattern.matches(who, keyless=True)
    assert not pattern.matches(dataclasses.replace(who, names=(hostile,)), keyless=True)
    assert not pattern.matches(dataclasses.replace(who, names=("x\nhttps://github.com/acme/x",)), keyless=True)
    assert not pattern.matches(dataclasses.replace(who, issuer="https://issuer.example.evil"), keyless=True)
    assert not pattern.matches(dataclasses.replace(who, issuer=None), keyless=True)
    alone = IdentityRule.exact("https://github.com/acme/x")
    assert not alone.matches(who, keyless=True)
    assert alone.matches(who, keyless=False)
    for wrong in (("", False), ("(", True), ("x" * 2000, False)):
        with pytest.raises(InvalidPolicy):
            Matcher(*wrong)


def read(text: str, folder: Path) -> tuple[TrustSettings, tuple[str, ...]]:
    return read_trust_settings(tomllib.loads(text)["trust"], folder)


def test_settings_are_read(tmp_path: Path) -> None:
    notary = Notary()
    (tmp_path / "cosign.pub").write_bytes(pem_of(make_key("p256")))
    (tmp_path / "ca.pem").write_bytes(notary.root.public_bytes(Encoding.PEM))
    store = tmp_path / "notation" / "truststore" / "x509" / "ca" / "acme"
    store.mkdir(parents=True)
    (store / "root.pem").write_bytes(notary.root.public_bytes(Encoding.PEM))
    (tmp_path / "notation" / "trustpolicy.json").write_bytes(notary.trust().raw_policy)
    inline = pem_of(make_key("ed25519")).decode()
    settings, problems = read(
        f'''
[trust."ghcr.io/acme/*"]
keys = ["cosign.pub", """{inline}"""]
identities = [{{ subject-regexp = ".*@acme.example", issuer = "https://accounts.example" }}]
authorities = ["ca.pem"]
notation = "notation"
require-log = true
check-reference = true
''',
        tmp_path,
    )
    assert problems == ()
    policy = settings.policy_for("ghcr.io/acme/app")
    assert [key.algorithm for key in policy.keys] == ["ECDSA P-256", "Ed25519"]
    assert policy.keys[0].name == "cosign.pub"
    assert policy.identities[0].subject.is_pattern
    assert policy.authorities
    assert policy.notation is not None
    assert policy.notation.store.certificates("ca", ("acme",))
    assert (policy.require_log, policy.check_reference) == (True, True)


@pytest.mark.parametrize(
    "line",
    [
        'keys = ["missing.pub"]',
        'keys = "cosign.pub"',
        "keys = [1]",
        'key = ["cosign.pub"]',
        'identities = ["me"]',
        "identities = [{}]",
        'identities = [{ issuer = "x" }]',
        'identities = [{ subject = "x", subject-regexp = "y" }]',
        'identities = [{ subject-regexp = "(" }]',
        'identities = [{ subject = "x", who = "y" }]',
        'authorities = ["junk"]',
        'trusted-root = "junk"',
        "trusted-root = 1",
        "notation = 1",
        'notation = "."',
        'require-log = "yes"',
    ],
)
def test_a_mistake_trusts_nobody_instead_of_a_looser_pattern(line: str, tmp_path: Path) -> None:
    (tmp_path / "good.pub").write_bytes(pem_of(make_key("p256")))
    (tmp_path / "junk").write_text("junk")
    settings, problems = read(f'[trust."*"]\nkeys = ["good.pub"]\n[trust."ghcr.io"]\n{line}\n', tmp_path)
    assert len(problems) == 1
    assert "ghcr.io" in problems[0]
    assert not settings.policy_for("ghcr.io/acme/app").trusts_anyone
    assert settings.policy_for("quay.io/x/y").trusts_anyone


def test_a_trusted_root_is_read_whole_or_not_at_all() -> None:
    body = json.loads(shipped_trust_root().raw)
    assert parse_trust_root(json.dumps(body).encode()).logs

    def without(change: Any) -> bytes:
        copy = json.loads(json.dumps(body))
        change(copy)
        return json.dumps(copy).encode()

    for raw in (
        b"{}",
        b"",
        without(lambda b: b.pop("mediaType")),
        without(lambda b: b["tlogs"][0]["publicKey"].pop("validFor")),
        without(lambda b: b["tlogs"][0]["publicKey"].update(rawBytes="!")),
        without(lambda b: b["certificateAuthorities"][0]["certChain"].update(certificates=[])),
        without(lambda b: b["certificateAuthorities"][0]["certChain"]["certificates"][0].update(rawBytes="AAAA")),
        without(lambda b: b["certificateAuthorities"][0]["validFor"].update(end="soon")),
    ):
        with pytest.raises(InvalidPolicy):
            parse_trust_root(raw)
