"""Plans as JSON: what `--dry-run` prints is what `apply` takes. Read as untrusted: every part is checked."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final, get_args

from regtui.oci import Digest, Reference, RegtuiError, parse_manifest
from regtui.oci.manifest import LARGEST_MANIFEST
from regtui.oci.reference import is_repository_path, is_tag
from regtui.operations.errors import InvalidPlan
from regtui.operations.plan import Action, Affected, Kind, Place, Plan, Protected, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    Part = TypeVar("Part")

VERSION: Final = 1
LARGEST: Final = 256 << 20
"""Bytes of a plan file that are read at most."""
_MOST: Final = 1_000_000


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan with every key of docs/cli.md, and what reading it back needs."""
    return {
        "plan": plan.kind,
        "version": VERSION,
        "steps": [_step_to_json(step) for step in plan.steps],
        "also_affected": [
            {
                "what": item.what,
                "host": item.reference.host,
                "repository": item.reference.path,
                "tag": item.reference.tag,
                "digest": item.digest,
                "goes": item.goes,
            }
            for item in plan.affected
        ],
        "protected": [{"tag": item.tag, "why": item.why, "forced": item.forced} for item in plan.protected],
        "frees_bytes": plan.frees_bytes,
        "freeable_bytes": plan.freeable_bytes,
        "reversible": plan.reversible,
        "reversible_until": plan.reversible_until,
        "warnings": list(plan.warnings),
        "afterwards": list(plan.afterwards),
        "saves": [{**_place(place), "digest": digest} for place, digest in plan.saves],
        "tags_before": [{**_place(place), "tag": tag, "digest": digest} for place, tag, digest in plan.tags_before],
        "tags_in_all": plan.tags_in_all,
        "made": [{"media_type": m.media_type, "content": base64.b64encode(m.raw).decode("ascii")} for m in plan.made],
        "undoes": plan.undoes,
    }


def from_json(value: Any) -> Plan:
    """The plan in a JSON object. Raises InvalidPlan for anything that is not exactly one."""
    try:
        return _read(_object(value))
    except InvalidPlan:
        raise
    except (KeyError, TypeError, ValueError, RegtuiError, binascii.Error) as error:
        raise InvalidPlan(
            f"The plan can't be read: {error.sentence if isinstance(error, RegtuiError) else error!r:.200}.",
            hint="Make it anew with --dry-run --json.",
        ) from error


def parse_plan(raw: bytes) -> Plan:
    """The plan in a file's bytes. Raises InvalidPlan."""
    try:
        return from_json(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise InvalidPlan("The plan is not valid JSON.", hint="Make it anew with --dry-run --json.") from error


def _step_to_json(step: Step) -> dict[str, Any]:
    return {
        "action": str(step.action),
        "reference": str(step.reference),
        **_place(step.place),
        "tag": step.tag,
        "digest": step.digest,
        "before": step.before,
        "takes": list(step.takes),
        "source": None if step.source is None else _place(step.source),
        "needs": list(step.needs),
        "why": step.why,
        "requests": list(step.requests),
    }


def _read(body: Mapping[str, Any]) -> Plan:
    if body.get("version") != VERSION:
        raise InvalidPlan("This plan was made by another version of regtui.", hint="Make it anew.")
    if body["plan"] not in get_args(Kind):
        raise InvalidPlan("This is no kind of plan that regtui knows.")
    steps = _list(body["steps"], _step)
    for number, step in enumerate(steps):
        if any(not 0 <= need < number for need in step.needs):
            raise InvalidPlan(f"Step {number + 1} of the plan needs one that does not come before it.")
    return Plan(
        body["plan"],
        steps,
        saves=_list(body["saves"], lambda item: (_read_place(item), Digest.parse(item["digest"]))),
        tags_before=_list(
            body["tags_before"], lambda item: (_read_place(item), _tag(item["tag"]), Digest.parse(item["digest"]))
        ),
        affected=_list(body["also_affected"], _affected),
        protected=_list(body["protected"], lambda p: Protected(_text(p["tag"]), _text(p["why"]), p["forced"] is True)),
        frees_bytes=_count(body["frees_bytes"]),
        freeable_bytes=_count(body["freeable_bytes"]),
        reversible=body["reversible"] is True,
        reversible_until=_text(body["reversible_until"]),
        warnings=_list(body["warnings"], _text),
        afterwards=_list(body["afterwards"], _text),
        tags_in_all=_count(body["tags_in_all"]),
        made=_list(body["made"], _made),
        undoes=None if body["undoes"] is None else _text(body["undoes"]),
    )


def _step(item: Any) -> Step:
    tag = None if item["tag"] is None else _tag(item["tag"])
    action = Action(item["action"])
    if tag is None and action in {Action.UNTAG, Action.TAG}:
        raise InvalidPlan(f"A step of the plan ({action}) names no tag.")
    return Step(
        action,
        _read_place(item),
        Digest.parse(item["digest"]),
        tag,
        None if item["before"] is None else Digest.parse(item["before"]),
        _list(item["takes"], _tag),
        None if item["source"] is None else _read_place(item["source"]),
        _list(item["needs"], _number),
        _text(item["why"]),
    )


def _affected(item: Any) -> Affected:
    digest = None if item["digest"] is None else Digest.parse(item["digest"])
    tag = None if item["tag"] is None else _tag(item["tag"])
    place = _read_place(item)
    reference = Reference(place.host, place.repository, tag, digest if tag is None else None)
    return Affected(_text(item["what"]), reference, digest, item["goes"] is True)


def _made(item: Any) -> Any:
    raw = base64.b64decode(_text(item["content"], LARGEST_MANIFEST * 2), validate=True)
    return parse_manifest(raw, _text(item["media_type"]))


def _place(place: Place) -> dict[str, str]:
    return {"host": place.host, "repository": place.repository}


def _read_place(item: Any) -> Place:
    host, repository = _text(item["host"]), _text(item["repository"])
    if not is_repository_path(repository):
        raise InvalidPlan(f"{repository[:120]!a} in the plan is not a repository's path.")
    return Place(host, repository)


def _tag(value: Any) -> str:
    text = _text(value)
    if not is_tag(text):
        raise InvalidPlan(f"{text[:128]!a} in the plan is not a tag.")
    return text


def _text(value: Any, limit: int = 4096) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise InvalidPlan("The plan holds something else where text belongs.")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise InvalidPlan("The plan holds something else where a number belongs.")
    return value


def _count(value: Any) -> int | None:
    return None if value is None else _number(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidPlan("The plan is not a JSON object.")
    return value


def _list(value: Any, read: Callable[[Any], Part]) -> tuple[Part, ...]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise InvalidPlan("The plan holds something else where a list belongs.")
    return tuple(read(item) for item in value)
