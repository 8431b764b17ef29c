"""Google's discovery documents as Swagger 2.0, so that the same checks hold their APIs as everybody's.

Source: the format of Google's API discovery service. Its schemas are JSON schemas but for `$ref`, which is a bare name,
and `id`, which would change what references mean.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.fakes.validation import Specification, described_in, document

ERRORS = frozenset({400, 401, 403, 404, 409, 429, 500, 503})
"""What every method may answer; the documents describe successes only."""
_DROPPED = {"id", "enumDescriptions", "enumDeprecated", "annotations", "readOnly", "deprecated"}


@cache
def google_api(name: str) -> Specification | None:
    """The description of an API by its file's name; None where it is not on this machine."""
    return None if described_in(name) is None else Specification(as_swagger(document(name)))


def as_swagger(found: dict[str, Any]) -> dict[str, Any]:
    """A discovery document as Swagger 2.0."""
    paths: dict[str, Any] = {}
    _add_methods(found, paths)
    definitions = {name: _schema(schema) for name, schema in found["schemas"].items()}
    return {"swagger": "2.0", "paths": paths, "definitions": definitions}


def _add_methods(node: dict[str, Any], paths: dict[str, Any]) -> None:
    for method in node.get("methods", {}).values():
        operation: dict[str, Any] = {
            "operationId": method["id"],
            "parameters": [_parameter(n, p) for n, p in method["parameters"].items() if p["location"] == "query"],
            "responses": {"200": {"description": "done", "schema": _schema(method["response"])}},
        }
        if "request" in method:
            operation["parameters"].append({"name": "body", "in": "body", "schema": _schema(method["request"])})
        paths.setdefault(f"/{method['flatPath']}", {})[method["httpMethod"].lower()] = operation
    for inner in node.get("resources", {}).values():
        _add_methods(inner, paths)


def _parameter(name: str, described: dict[str, Any]) -> dict[str, Any]:
    plain = {word: described[word] for word in ("type", "enum", "minimum", "maximum") if word in described}
    if described.get("repeated"):
        plain = {"type": "array", "items": plain, "collectionFormat": "multi"}
    return {"name": name, "in": "query", "required": described.get("required", False), **plain}


def _schema(value: Any) -> Any:
    if isinstance(value, list):
        return [_schema(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$ref"), str):
        return {"$ref": f"#/definitions/{value['$ref']}"}
    if value.get("type") == "any":
        return {}
    made = {
        word: {name: _schema(entry) for name, entry in inner.items()} if word == "properties" else _schema(inner)
        for word, inner in value.items()
        if word not in _DROPPED or not isinstance(inner, str | bool | list)
    }
    if made.get("format") == "google-datetime":
        made["format"] = "date-time"
    return made
