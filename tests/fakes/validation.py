"""Holds a fake, and the adapter that speaks to it, against the vendor's own description of its API.

    class FakeHarbor(FakeRegistry):
        def __init__(self):
            super().__init__()
            self.watch = Watch(specification("harbor-2.15.2.swagger.yaml"), covers="/api/v2.0/")

        def handle(self, asked):
            reply = super().handle(asked)
            self.watch.saw(Exchange.of(asked, reply))
            return reply

    with FakeHarbor() as fake:
        ...
    fake.watch.check()

Every request has to be an operation of the description with the parameters and the body that it names; every answer
one of its statuses, with a body that fits its schema and has no field which the schema does not know. Where the
description is wrong or silent, the fake says so by name: `replace`, `also`, `more_statuses`, `undocumented`.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml

from tests.fakes.spec_schemas import at, prepared, validator, without_nulls
from tests.servers.tools import shared_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import Draft4Validator

    from tests.fakes import serve
    from tests.servers import oci11

METHODS = ("get", "put", "post", "delete", "head", "patch", "options")
_SLASHES = "(?:[^/_][^/]*/)*[^/_][^/]*"
"""A path of several components. None starts with an underscore, as the fixed parts beside repositories do."""
_OWN_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that OpenAPI 3 leaves to other parts of the description."""


@dataclass(frozen=True)
class Exchange:
    """A request with its answer. `target` is raw; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes

    @classmethod
    def of(cls, asked: oci11.Asked | serve.Seen, reply: oci11.Reply | serve.Reply) -> Exchange:
        """An exchange with one of the tests' servers."""
        pairs = reply.headers.items() if hasattr(reply.headers, "items") else reply.headers
        answered = {name.lower(): value for name, value in pairs}
        return cls(asked.method, asked.target, asked.headers, asked.body, reply.status, answered, reply.body)

    @property
    def path(self) -> str:
        """The path as it was sent, still encoded."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


@dataclass(frozen=True)
class Operation:
    """One operation of a description, with its parameters resolved."""

    name: str
    parameters: tuple[dict[str, Any], ...]
    body: Mapping[str, Any]
    """Schemas of the request's body by media type; empty when it takes none."""
    body_is_required: bool
    responses: Mapping[str, dict[str, Any]]
    arguments: Mapping[str, str]
    """The variable parts of the path, still encoded."""

    def parameter(self, place: str) -> dict[str, dict[str, Any]]:
        """The parameters of one place ("query", "header", "path") by name."""
        return {p["name"]: p for p in self.parameters if p["in"] == place}


class Specification:
    """A Swagger 2.0 or OpenAPI 3.0 file."""

    def __init__(
        self,
        document: dict[str, Any],
        *,
        prefix: str | None = None,
        slashes: frozenset[str] = frozenset(),
        nulls_are_absent: bool = False,
        replace: Mapping[str, Any] | None = None,
        also: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """`prefix` stands before every path of the file (by default the file's own base path).

        `slashes` names the path parameters that may hold a slash, as `/v2/{name}/tags/list` means it.
        `nulls_are_absent` takes null for a missing member. For `replace` and `also` see spec_schemas.prepared.
        """
        self.document = prepared(document, replace=replace, also=also)
        self.is_swagger = "swagger" in document
        self.prefix = self._own_prefix() if prefix is None else prefix
        self.nulls_are_absent = nulls_are_absent
        self._paths = sorted(
            ((self._pattern(path, slashes), path) for path in self.document["paths"]),
            key=lambda entry: (entry[1].count("{"), -len(entry[1])),
        )
        self._validators: dict[str, Draft4Validator] = {}

    def find(self, method: str, path: str) -> Operation | None:
        """The operation behind a request; the path with the fewest variables wins."""
        for pattern, template in self._paths:
            match = pattern.fullmatch(path)
            described = self.document["paths"][template]
            if match is not None and method.lower() in described:
                return self._operation(method.lower(), template, dict(match.groupdict()))
        return None

    def errors(self, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with a value, one line each."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = validator(self.document, schema)
        shown = without_nulls(value) if self.nulls_are_absent else value
        for error in self._validators[key].iter_errors(shown):
            yield f"{error.json_path}: {error.message[:300]}"

    def _operation(self, method: str, template: str, groups: dict[str, str]) -> Operation:
        described = self.document["paths"][template]
        own = described[method]
        listed = [self._resolved(p) for p in (*described.get("parameters", ()), *own.get("parameters", ()))]
        parameters = tuple({(p["in"], p["name"]): p for p in listed}.values())
        if self.is_swagger:
            given = [p for p in parameters if p["in"] == "body"]
            body: dict[str, Any] = {"application/json": given[0]["schema"]} if given else {}
            needed = any(p.get("required") for p in given)
            if any(p["in"] == "formData" for p in parameters):
                body["application/x-www-form-urlencoded"] = {}
        else:
            whole = self._resolved(own.get("requestBody", {}))
            body = {kind: media.get("schema", {}) for kind, media in whole.get("content", {}).items()}
            needed = bool(whole.get("required"))
        responses = {str(status): self._resolved(response) for status, response in own["responses"].items()}
        names = re.findall(r"{([^}]+)}", template)
        arguments = {name: groups[f"v{number}"] for number, name in enumerate(names)}
        name = own.get("operationId") or f"{method.upper()} {template}"
        return Operation(name, parameters, body, needed, responses, arguments)

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = at(self.document, node["$ref"])
        return node

    def _own_prefix(self) -> str:
        if self.is_swagger:
            return str(self.document.get("basePath", "")).rstrip("/")
        servers = self.document.get("servers") or [{"url": ""}]
        return urlsplit(servers[0]["url"]).path.rstrip("/")

    def _pattern(self, path: str, slashes: frozenset[str]) -> re.Pattern[str]:
        made, number = re.escape(self.prefix), 0
        for part in re.split(r"({[^}]+})", path):
            if part.startswith("{"):
                made += f"(?P<v{number}>{_SLASHES if part[1:-1] in slashes else '[^/]+'})"
                number += 1
            else:
                made += re.escape(part)
        return re.compile(made)


@dataclass
class Watch:
    """Notes what in a conversation does not fit the description.

    `covers` are the paths that belong to it; others (the registry protocol beside a REST API) are left alone.
    `undocumented` are patterns "METHOD path" of calls that the vendor has and does not describe, `more_statuses`
    answers that any operation may give. Without a description (the folder is absent) nothing is checked.
    """

    specification: Specification | None
    covers: str = "/"
    undocumented: tuple[str, ...] = ()
    more_statuses: frozenset[int] = frozenset({429})
    problems: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    """How often each operation was used."""

    def saw(self, exchange: Exchange) -> None:
        """Check one exchange."""
        if self.specification is None or not exchange.path.startswith(self.covers):
            return
        call = f"{exchange.method} {exchange.path}"
        if any(re.fullmatch(pattern, call) for pattern in self.undocumented):
            self.seen["undocumented"] += 1
            return
        operation = self.specification.find(exchange.method, exchange.path)
        if operation is None:
            self.problems.append(f"{call}: there is no such operation")
            return
        self.seen[operation.name] += 1
        found = [*self._request(operation, exchange), *self._answer(operation, exchange)]
        self.problems += [f"{call} ({operation.name}): {problem}" for problem in found]

    def check(self) -> None:
        """Raises AssertionError with everything that did not fit."""
        assert self.problems == [], "\n".join(self.problems)

    def require(self) -> None:
        """Skip the test where there is no description to hold anything against."""
        if self.specification is None:
            pytest.skip("the folder of official API descriptions is not on this machine")

    def _request(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        for name, value in operation.arguments.items():
            described = operation.parameter("path").get(name)
            if described is not None:
                yield from self._parameter(described, [unquote(value)], "path")
        known = operation.parameter("query")
        values: dict[str, list[str]] = {}
        for name, value in exchange.query:
            values.setdefault(name, []).append(value)
        yield from (f"there is no parameter {name!r}" for name in values if name not in known)
        for name, described in known.items():
            if name in values:
                yield from self._parameter(described, values[name], "query")
            elif described.get("required"):
                yield f"the parameter {name!r} is missing"
        for name, described in operation.parameter("header").items():
            if name.lower() in exchange.headers:
                yield from self._parameter(described, [exchange.headers[name.lower()]], "header")
            elif described.get("required") and name.lower() not in _OWN_HEADERS:
                yield f"the header {name!r} is missing"
        yield from self._body(operation.body, exchange.headers, exchange.body, operation.body_is_required)

    def _answer(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        response = operation.responses.get(str(exchange.status), operation.responses.get("default"))
        if response is None:
            if exchange.status not in self.more_statuses:
                yield f"it does not answer {exchange.status}"
            return
        assert self.specification is not None
        if self.specification.is_swagger:
            content = {"application/json": response["schema"]} if "schema" in response else {}
        else:
            content = {kind: media.get("schema", {}) for kind, media in response.get("content", {}).items()}
        if exchange.method != "HEAD" and content:
            yield from (f"answer {exchange.status}, {p}" for p in self._content(content, exchange))
        for name, header in response.get("headers", {}).items():
            sent = exchange.answer_headers.get(name.lower())
            if sent is not None:
                yield from self._parameter(header | {"name": name}, [sent], "header of the answer")

    def _content(self, content: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
        kind = exchange.answer_headers.get("content-type", "").partition(";")[0].strip()
        if kind.startswith("text/") and kind not in content:
            return  # a proxy's or a framework's own words; what reads them must cope
        schema = content.get(kind, content.get("application/json") if kind.endswith("json") else None)
        if schema is None:
            yield f"is {kind or 'of no type'} where {', '.join(content)} is described"
        else:
            yield from self._json(exchange.answer, schema)

    def _body(
        self, content: Mapping[str, Any], headers: Mapping[str, str], body: bytes, is_required: bool
    ) -> Iterator[str]:
        if not body:
            if is_required:
                yield "the body is missing"
            return
        if not content:
            yield "it takes no body"
            return
        kind = headers.get("content-type", "").partition(";")[0].strip()
        if kind not in content:
            yield f"the body is {kind or 'of no type'} where {', '.join(content)} is taken"
        elif kind.endswith("json"):
            yield from (f"body {problem}" for problem in self._json(body, content[kind]))

    def _json(self, raw: bytes, schema: Mapping[str, Any]) -> Iterator[str]:
        assert self.specification is not None
        if not schema or schema == {"type": "string"}:
            return
        try:
            value = json.loads(raw)
        except ValueError:
            yield f"is no JSON: {raw[:100]!r}"
            return
        yield from self.specification.errors(value, schema)

    def _parameter(self, described: dict[str, Any], values: list[str], place: str) -> Iterator[str]:
        assert self.specification is not None
        schema = described.get("schema") or {k: v for k, v in described.items() if k in _SCHEMA_WORDS}
        kind = schema.get("type")
        if kind == "array":
            joined = described.get("collectionFormat", "csv") == "csv" and not described.get("explode")
            values = [part for value in values for part in (value.split(",") if joined else [value])]
            value: Any = [_typed(v, schema.get("items", {}).get("type")) for v in values]
        elif len(values) > 1:
            yield f"{place} {described['name']!r} is given {len(values)} times"
            return
        else:
            value = _typed(values[0], kind)
        yield from (f"{place} {described['name']!r} {problem}" for problem in self.specification.errors(value, schema))


_SCHEMA_WORDS = frozenset(
    {"type", "items", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "format", "minItems"}
    | {"maxItems", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "multipleOf"}
)


def _typed(text: str, kind: object) -> Any:
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text


def described_in(name: str) -> Path | None:
    """Where the official description of this name lies; None where there is none on this machine."""
    given = os.environ.get("REGTUI_SHARED")
    folder = Path(given) if given else Path(__file__).resolve().parents[3] / "shared"
    found = folder / "specs" / name
    return found if found.is_file() else None


@cache
def document(name: str) -> dict[str, Any]:
    """A description as it is written. Skips the test where it is absent."""
    path = shared_folder() / "specs" / name
    text = path.read_text()
    loaded = json.loads(text) if path.suffix == ".json" else yaml.load(text, _LOADER)
    assert isinstance(loaded, dict)
    return loaded


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SPECIFICATIONS: dict[tuple[str, str], Specification] = {}


def specification(name: str, **amended: Any) -> Specification | None:
    """The description of this file name, read once per process; None where it is not on this machine.

    `amended` are the arguments of Specification; each way of amending is another description.
    """
    if described_in(name) is None:
        return None
    key = (name, repr(sorted(amended.items())))
    if key not in _SPECIFICATIONS:
        _SPECIFICATIONS[key] = Specification(document(name), **amended)
    return _SPECIFICATIONS[key]
