"""The harness that holds fakes against official descriptions: it finds what is wrong and lets pass what is right."""

from __future__ import annotations

import json

import pytest

from tests.fakes import serve
from tests.fakes.spec_schemas import at
from tests.fakes.validation import Exchange, Specification, Watch, document, specification
from tests.servers import oci11

SWAGGER = {
    "swagger": "2.0",
    "basePath": "/api",
    "parameters": {"page": {"name": "page", "in": "query", "type": "integer", "minimum": 1}},
    "responses": {"404": {"description": "no", "schema": {"$ref": "#/definitions/Errors"}}},
    "paths": {
        "/things": {
            "get": {
                "operationId": "list",
                "parameters": [
                    {"$ref": "#/parameters/page"},
                    {"name": "ids", "in": "query", "type": "array", "items": {"type": "integer"}},
                    {"name": "X-Kind", "in": "header", "type": "string", "required": True, "enum": ["a", "b"]},
                ],
                "responses": {
                    200: {
                        "description": "ok",
                        "headers": {"X-Total-Count": {"type": "integer"}},
                        "schema": {"type": "array", "items": {"$ref": "#/definitions/Thing"}},
                    },
                    404: {"$ref": "#/responses/404"},
                },
            },
            "post": {
                "operationId": "make",
                "parameters": [
                    {"name": "thing", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Thing"}}
                ],
                "responses": {"201": {"description": "made"}},
            },
        },
        "/things/{name}": {"delete": {"operationId": "remove", "responses": {"200": {"description": "gone"}}}},
        "/things/all": {"delete": {"operationId": "remove all", "responses": {"202": {"description": "soon"}}}},
    },
    "definitions": {
        "Thing": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "made": {"type": "string", "format": "date-time", "x-nullable": True},
                "parts": {"type": "array", "items": {"$ref": "#/definitions/Part"}},
            },
        },
        "Part": {"allOf": [{"$ref": "#/definitions/Base"}, {"properties": {"size": {"type": "integer"}}}]},
        "Base": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "Errors": {"type": "object", "properties": {"errors": {"type": "array", "items": {"type": "object"}}}},
    },
}
OPENAPI = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://api.example.com/v1"}],
    "paths": {
        "/boxes/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "put": {
                "operationId": "fill",
                "requestBody": {"$ref": "#/components/requestBodies/Box"},
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Box"}}},
                    },
                    "default": {"description": "no", "content": {"application/json": {"schema": {"type": "object"}}}},
                },
            },
        }
    },
    "components": {
        "requestBodies": {
            "Box": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Box"}}},
            }
        },
        "schemas": {
            "Box": {
                "type": "object",
                "properties": {
                    "full": {"type": "boolean", "nullable": True},
                    "inner": {"nullable": True, "$ref": "#/components/schemas/Box"},
                    "kind": {"type": "string", "nullable": True, "enum": ["big", "small"]},
                },
            }
        },
    },
}
JSON = "application/json"


def asked(method, target, body=None, status=200, answer=None, kind="a", answer_kind=JSON, **answer_headers):
    """An exchange with bodies that are made into JSON."""
    return Exchange(
        method,
        target,
        {"content-type": JSON, **({"x-kind": kind} if kind else {})},
        json.dumps(body).encode() if body is not None else b"",
        status,
        {"content-type": answer_kind} | {name.replace("_", "-"): value for name, value in answer_headers.items()},
        answer if isinstance(answer, bytes) else json.dumps(answer).encode() if answer is not None else b"",
    )


def problems(description, *exchanges, **amended):
    options = {name: amended.pop(name) for name in ("covers", "undocumented", "more_statuses") if name in amended}
    watch = Watch(Specification(description, **amended), **options)
    for exchange in exchanges:
        watch.saw(exchange)
    return watch.problems


THING = {"name": "x", "made": "2026-01-02T03:04:05.678Z", "parts": [{"id": 1, "size": 2}]}


@pytest.mark.parametrize(
    "exchange",
    [
        asked("GET", "/api/things?page=2&ids=1,2", answer=[THING], x_total_count="7"),
        asked("GET", "/api/things", answer=[{"name": "x", "made": None}]),
        asked("GET", "/api/things", status=404, answer={"errors": [{"code": "NO"}]}),
        asked("GET", "/api/things", status=404, answer=b"404 page not found", answer_kind="text/plain"),
        asked("GET", "/api/things", status=429),
        asked("POST", "/api/things", body={"name": "x"}, status=201),
        asked("DELETE", "/api/things/a%252Fb"),
        asked("DELETE", "/api/things/all", status=202),
    ],
)
def test_what_fits_passes(exchange):
    assert problems(SWAGGER, exchange) == []


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (asked("GET", "/api/thing"), "no such operation"),
        (asked("PATCH", "/api/things"), "no such operation"),
        (asked("DELETE", "/api/things/a/b"), "no such operation"),
        (asked("GET", "/things", answer=[]), "no such operation"),
        (asked("GET", "/api/things?size=3", answer=[]), "no parameter 'size'"),
        (asked("GET", "/api/things?page=0", answer=[]), "minimum"),
        (asked("GET", "/api/things?page=x", answer=[]), "not of type 'integer'"),
        (asked("GET", "/api/things?page=1&page=2", answer=[]), "given 2 times"),
        (asked("GET", "/api/things?ids=1,x", answer=[]), "not of type 'integer'"),
        (asked("GET", "/api/things", kind="c", answer=[]), "not one of"),
        (asked("GET", "/api/things", kind="", answer=[]), "header 'X-Kind' is missing"),
        (asked("GET", "/api/things", status=418), "does not answer 418"),
        (asked("GET", "/api/things", answer={"name": "x"}), "not of type 'array'"),
        (asked("GET", "/api/things", answer=[{}]), "required"),
        (asked("GET", "/api/things", answer=[{"name": "x", "nmae": 1}]), "nmae"),
        (asked("GET", "/api/things", answer=[{"name": "x", "made": "yesterday"}]), "date-time"),
        (asked("GET", "/api/things", answer=[{"name": "x", "parts": [{"id": "1"}]}]), "not of type 'integer'"),
        (asked("GET", "/api/things", answer=b"[", answer_kind=JSON), "no JSON"),
        (asked("GET", "/api/things", answer=[], answer_kind="application/xml"), "application/xml"),
        (asked("GET", "/api/things", answer=[], x_total_count="many"), "not of type 'integer'"),
        (asked("POST", "/api/things", status=201), "body is missing"),
        (asked("POST", "/api/things", body={"name": 7}, status=201), "not of type 'string'"),
        (asked("DELETE", "/api/things/x", body={"a": 1}), "takes no body"),
        (asked("DELETE", "/api/things/all", status=200), "does not answer 200"),
    ],
)
def test_what_does_not_fit_is_found(exchange, said):
    (problem,) = problems(SWAGGER, exchange)
    assert said in problem


def test_openapi_bodies_nulls_and_defaults():
    good = [
        asked("PUT", "/v1/boxes/1", body={"full": None, "inner": {"kind": None}}, answer={"kind": "big"}),
        asked("PUT", "/v1/boxes/1", body={}, status=500, answer={"anything": 1}),
    ]
    assert problems(OPENAPI, *good) == []
    for body, answer, said in (
        ({"full": "yes"}, {}, "boolean"),
        ({"inner": {"kind": "odd"}}, {}, "is not valid under any"),
        ({}, {"colour": "red"}, "colour"),
    ):
        (problem,) = problems(OPENAPI, asked("PUT", "/v1/boxes/1", body=body, answer=answer))
        assert said in problem
    assert "integer" in problems(OPENAPI, asked("PUT", "/v1/boxes/one", body={}, answer={}))[0]
    assert problems(OPENAPI, asked("PUT", "/boxes/1", body={}, answer={}), prefix="") == []


def test_what_the_page_knows_better_is_said_by_name():
    odd = asked("GET", "/api/things", answer=[{"name": 5, "colour": "red"}])
    assert len(problems(SWAGGER, odd)) == 2
    amended = {
        "replace": {"#/definitions/Thing/properties/name": {"type": "integer"}},
        "also": {"#/definitions/Thing": {"colour": {"type": "string"}}},
    }
    assert problems(SWAGGER, odd, **amended) == []
    null = asked("GET", "/api/things", answer=[{"name": "x", "parts": None}])
    assert len(problems(SWAGGER, null)) == 1
    assert problems(SWAGGER, null, nulls_are_absent=True) == []
    teapot = asked("GET", "/api/things", status=418)
    assert problems(SWAGGER, teapot, more_statuses=frozenset({418})) == []
    hidden = asked("DELETE", "/api/secret")
    assert problems(SWAGGER, hidden, undocumented=("DELETE /api/secret",)) == []
    assert problems(SWAGGER, asked("GET", "/v2/"), covers="/api/") == []
    slashed = {"swagger": "2.0", "paths": {"/v2/{name}/tags": {"get": {"responses": {"200": {"description": ""}}}}}}
    deep = asked("GET", "/v2/a/b/tags", kind="")
    assert "no such operation" in problems(slashed, deep)[0]
    assert problems(slashed, deep, slashes=frozenset({"name"})) == []


def test_a_watch_raises_what_it_found():
    watch = Watch(Specification(SWAGGER))
    watch.check()
    watch.saw(asked("GET", "/nowhere"))
    with pytest.raises(AssertionError, match="no such operation"):
        watch.check()
    nothing = Watch(None)
    nothing.saw(asked("GET", "/nowhere"))
    nothing.check()


def test_exchanges_of_both_kinds_of_server():
    seen = serve.Seen("GET", "/a%2Fb?q=1", {"x": "y"}, b"in")
    one = Exchange.of(seen, serve.Reply(201, (("X-Total", "1"),), b"out"))
    old = oci11.Asked("GET", "/a%2Fb", {"q": "1"}, {"x": "y"}, b"in", "/a%2Fb?q=1")
    other = Exchange.of(old, oci11.Reply(201, b"out", {"X-Total": "1"}))
    assert one == other
    assert (one.path, one.query, one.answer_headers) == ("/a%2Fb", [("q", "1")], {"x-total": "1"})


@pytest.mark.parametrize(
    "name",
    [
        "harbor-2.15.2.swagger.yaml",
        "nexus-3.94.0.openapi.yaml",
        "zot.swagger.json",
        "azure-acr-dataplane-2019-07-15-preview.swagger.yaml",
        "dockerhub-api-2026-excerpt.openapi.yaml",
        "dockerhub-api-2025-03.openapi.yaml",
        "github-packages-excerpt.openapi.json",
    ],
)
def test_every_official_description_can_be_used(name, shared):
    found = specification(name)
    assert found is not None
    for path, described in document(name)["paths"].items():
        for method in described.keys() & {"get", "put", "post", "delete", "patch", "head"}:
            operation = found.find(method, found.prefix + path.replace("{", "x").replace("}", "x"))
            assert operation is not None, path
            for response in operation.responses.values():
                media = [inner.get("schema", {}) for inner in response.get("content", {}).values()]
                for schema in [response.get("schema", {}), *media]:
                    list(found.errors({"no such member": 1}, schema))
    for pointer in references_in(found.document):
        assert at(found.document, pointer) is not None


def references_in(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references_in(inner)
