"""Makes the schemas of a Swagger 2 or OpenAPI 3.0 file usable as JSON schemas (draft 4), and closes them.

Both dialects are draft 4 with words of their own: `nullable`, `x-nullable`, `type: file`. An object that lists its
properties is closed (`additionalProperties: false`), so that a field which no such API has is found.
"""

from __future__ import annotations

import copy
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

URN = "urn:specification"
FORMATS = FormatChecker(formats=())
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


@FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    """RFC 3339."""
    if not isinstance(value, str):
        return True
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return _TIME.fullmatch(value) is not None


def prepared(
    document: dict[str, Any],
    *,
    replace: Mapping[str, Any] | None = None,
    also: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """A copy of the document whose schemas are draft 4, closed and amended.

    `replace` puts other values at JSON pointers, `also` adds properties to the object schemas there: what the vendor's
    page knows better than its file.
    """
    made = copy.deepcopy(document)
    for pointer, value in (replace or {}).items():
        where, _, last = pointer.removeprefix("#").rpartition("/")
        at(made, where)[last.replace("~1", "/").replace("~0", "~")] = copy.deepcopy(value)
    for pointer, properties in (also or {}).items():
        at(made, pointer).setdefault("properties", {}).update(copy.deepcopy(dict(properties)))
    schemas = list(_schemas(made))
    for schema in schemas:
        for part in schema.get("allOf", ()):  # each part knows only its own share of the members
            whole = at(made, part["$ref"]) if "$ref" in part else part
            whole.setdefault("additionalProperties", True)
    for schema in schemas:
        _adapt(schema)
    return made


def at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer. Raises KeyError when nothing does."""
    for part in pointer.removeprefix("#").split("/")[1:]:
        step = part.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def validator(document: dict[str, Any], schema: Mapping[str, Any]) -> Draft4Validator:
    """A validator for a schema out of a prepared document, or one that refers into it."""
    resource: Resource[Any] = Resource(contents=document, specification=DRAFT4)
    registry: Registry[Any] = Registry().with_resource(URN, resource)
    return Draft4Validator(_absolute(schema), registry=registry, format_checker=FORMATS)


def without_nulls(value: Any) -> Any:
    """The value without members that are null: how servers written in Go show what is empty."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and target.startswith("#"):
            return {"$ref": URN + target}
        return {key: _absolute(value) for key, value in schema.items()}
    return [_absolute(value) for value in schema] if isinstance(schema, list) else schema


def _schemas(node: Any, key: str = "") -> Iterator[dict[str, Any]]:
    """Every object that is a schema, outermost first; examples and lists of required names are none."""
    if isinstance(node, list):
        for inner in node:
            yield from _schemas(inner, key)
    elif isinstance(node, dict):
        if key != "properties" and ({"type", "properties", "allOf", "anyOf", "oneOf", "$ref"} & node.keys()):
            yield node
        for name, inner in list(node.items()):
            if key == "properties" or name not in {"example", "examples", "default", "enum", "required"}:
                yield from _schemas(inner, "" if key == "properties" else name)


def _adapt(schema: dict[str, Any]) -> None:
    if schema.get("type") == "file":
        del schema["type"]
    if isinstance(schema.get("properties"), dict) and "allOf" not in schema:
        schema.setdefault("additionalProperties", False)
    nullable = schema.pop("nullable", None) or schema.pop("x-nullable", None)
    if nullable and "$ref" in schema:
        schema["anyOf"] = [{"$ref": schema.pop("$ref")}, {"type": "null"}]
    elif nullable and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
