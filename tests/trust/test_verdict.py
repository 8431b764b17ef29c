"""How results become one verdict: nothing but VERIFIED makes an image verified, and silence is not "unsigned"."""

from __future__ import annotations

from itertools import permutations

import pytest

from regtui.oci import Digest
from regtui.trust.verdict import SignatureFormat, SignatureResult, Status, Verdict, combine, through_index

IMAGE, INDEX = Digest.of(b"image"), Digest.of(b"index")


def result(status: Status, signer: str | None = None) -> SignatureResult:
    return SignatureResult(SignatureFormat.BUNDLE, status, f"it is {status}", signer=signer)


def test_one_verified_signature_wins_and_an_invalid_one_outweighs_an_unjudged() -> None:
    three = [result(Status.UNVERIFIED), result(Status.INVALID), result(Status.VERIFIED, "release")]
    for order in permutations(three):
        verdict = combine(IMAGE, order)
        assert verdict.status is Status.VERIFIED
        assert verdict.reason == "it is verified"
        assert verdict.signers == ("release",)
    assert combine(IMAGE, three[:2]).status is Status.INVALID
    assert combine(IMAGE, three[:1]).status is Status.UNVERIFIED


def test_unsigned_is_only_said_when_everything_was_looked_at() -> None:
    assert combine(IMAGE, ()).status is Status.UNSIGNED
    verdict = combine(IMAGE, (), incomplete="the referrers could not be listed")
    assert verdict.status is Status.UNVERIFIED
    assert "referrers" in verdict.reason


@pytest.mark.parametrize("platform", list(Status))
@pytest.mark.parametrize("index", list(Status))
def test_an_index_vouches_for_its_images(platform: Status, index: Status) -> None:
    def verdict(subject: Digest, status: Status) -> Verdict:
        return combine(subject, () if status is Status.UNSIGNED else (result(status),))

    joined = through_index(verdict(IMAGE, platform), verdict(INDEX, index))
    assert joined.subject == IMAGE
    assert (joined.status is Status.VERIFIED) == (Status.VERIFIED in (platform, index))
    if Status.VERIFIED not in (platform, index) and Status.INVALID in (platform, index):
        assert joined.status is Status.INVALID
    assert through_index(verdict(IMAGE, platform), None).status is platform
