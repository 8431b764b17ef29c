"""`regtui verify`: who vouches for an image, under the keys, identities and trust policy given."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from regtui.cli import exits
from regtui.cli.common import add_common, add_json, add_signing_in, session_of
from regtui.cli.output import print_fields, print_json, print_table, say
from regtui.oci import Platform
from regtui.oci.errors import InvalidReference
from regtui.oci.times import format_time
from regtui.session import parse_image
from regtui.trust.cosign_keys import read_key
from regtui.trust.errors import InvalidPolicy
from regtui.trust.identity import IdentityRule
from regtui.trust.notation.trust_store import read_trust_store
from regtui.trust.notation.verification import NotationTrust
from regtui.trust.policy import TrustPolicy
from regtui.trust.verdict import Status

if TYPE_CHECKING:
    import argparse

    from regtui.trust.verdict import SignatureResult, Verdict

LARGEST_FILE: Final = 1 << 20
_WORDS: Final = {
    Status.VERIFIED: "verified",
    Status.INVALID: "invalid",
    Status.UNVERIFIED: "present but not verified",
    Status.UNSIGNED: "unsigned",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `verify`."""
    parser.add_argument("reference", metavar="REF", help="an image")
    parser.add_argument("--key", action="append", default=[], type=Path, metavar="FILE", help="trust this public key")
    parser.add_argument("--identity", metavar="ID", help="trust keyless signatures of this identity")
    parser.add_argument("--issuer", metavar="URL", help="the issuer that has to vouch for the identity")
    parser.add_argument(
        "--trust-policy", type=Path, metavar="FILE", help="notation's trustpolicy.json, its truststore folder beside it"
    )
    parser.add_argument("--platform", metavar="OS/ARCH[/VARIANT]", help="verify this platform of an index")
    add_json(parser)
    add_signing_in(parser)
    add_common(parser)


async def run(arguments: argparse.Namespace) -> int:
    """Verify one image; 3 unless somebody who is trusted vouches for it."""
    reference = parse_image(arguments.reference)
    given = await asyncio.to_thread(policy_of, arguments)
    session = session_of(arguments, reference.host)
    try:
        policy = given if given.trusts_anyone else await session.trust.policy(reference)
        for problem in session.trust.problems:
            say(problem)
        image = await session.image(reference, Platform.parse(arguments.platform) if arguments.platform else None)
        judged = await session.trust.judge(image, policy, platform=bool(arguments.platform))
    finally:
        await session.close()
    verdict, attestations = judged.of_shown, judged.attestations
    if arguments.json:
        print_json(as_dict(str(image.reference), verdict, attestations))
    else:
        _print(str(image.reference), verdict, attestations)
    if verdict.status is Status.UNVERIFIED and verdict.unknown is None and not policy.trusts_anyone:
        say("Nobody is trusted here: name --key, --identity or --trust-policy, or set [trust] tables.")
    return exits.DONE if verdict.status is Status.VERIFIED else exits.NEGATIVE


def policy_of(arguments: argparse.Namespace) -> TrustPolicy:
    """The policy that the options ask for. Raises InvalidPolicy, and InvalidReference for half an identity."""
    if bool(arguments.identity) != bool(arguments.issuer):
        raise InvalidReference(
            "An identity and its issuer belong together.", hint="Give both --identity and --issuer: see --help."
        )
    keys = tuple(read_key(_file(path), path.name) for path in arguments.key)
    rules = (IdentityRule.exact(arguments.identity, arguments.issuer),) if arguments.identity else ()
    notation = None
    if arguments.trust_policy is not None:
        store = read_trust_store(arguments.trust_policy.parent)
        notation = NotationTrust.read(_file(arguments.trust_policy), store)
    return TrustPolicy("command line", keys, rules, notation=notation)


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InvalidPolicy(f"{path} can't be read: {error.strerror}.", hint="Look at the path.") from error
    if len(content) > LARGEST_FILE:
        raise InvalidPolicy(f"{path} is larger than {LARGEST_FILE:,} bytes.")
    return content


def as_dict(reference: str, verdict: Verdict, attestations: tuple[SignatureResult, ...]) -> dict[str, Any]:
    """The JSON of a verdict (docs/cli.md)."""
    return {
        "reference": reference,
        "digest": verdict.subject,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "incomplete": verdict.incomplete,
        "signatures": [_result(one) for one in verdict.results],
        "attestations": [_result(one) for one in attestations],
    }


def _result(one: SignatureResult) -> dict[str, Any]:
    return {
        "format": one.format.value,
        "status": one.status.value,
        "signer": one.signer,
        "reason": one.reason,
        "under": one.under,
        "predicate": one.predicate,
        "signed_at": format_time(one.signed_at),
        "source": one.source,
    }


def _print(reference: str, verdict: Verdict, attestations: tuple[SignatureResult, ...]) -> None:
    print_fields(
        [
            ("reference", reference),
            ("verdict", _WORDS[verdict.status] if verdict.unknown is None else "not known"),
            ("by", ", ".join(verdict.signers)),
            ("reason", verdict.reason),
            ("incomplete", verdict.incomplete),
        ]
    )
    for title, results in (("signature", verdict.results), ("attestation", attestations)):
        if results:
            sys.stdout.write("\n")
            rows = [
                [one.predicate or one.format.value, _WORDS[one.status], one.signer or "—", one.reason]
                for one in results
            ]
            print_table((title, "verdict", "signer", "reason"), rows)
