"""Holds requests and answers of AWS's JSON services against botocore's own models of them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel, Shape

_BOUND = "out of bounds: "
_PLAIN = {"string": str, "boolean": bool, "integer": int, "long": int, "double": (int, float), "float": (int, float)}


@cache
def service(name: str) -> ServiceModel:
    """botocore's model of a service ("ecr", "ecr-public")."""
    return ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


def faults_of_input(name: str, operation: str, body: Any) -> list[str]:
    """What is wrong with a request; empty when nothing is."""
    model = service(name)
    if operation not in model.operation_names:
        return [f"{name} has no operation {operation}"]
    return list(_faults(body, model.operation_model(operation).input_shape, operation))


def faults_of_output(name: str, operation: str, body: Any) -> list[str]:
    """What is wrong with an answer; empty when nothing is. Bounds and patterns hold for requests only."""
    found = _faults(body, service(name).operation_model(operation).output_shape, operation)
    return [fault for fault in found if not fault.startswith(_BOUND)]


def knows_error(name: str, operation: str, code: str) -> bool:
    """Whether an operation may answer with this error; those common to all services are not in the models."""
    common = {"ThrottlingException", "AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"}
    shapes = service(name).operation_model(operation).error_shapes
    return code in common or code in {shape.name for shape in shapes}


def _faults(value: Any, shape: Shape, where: str) -> Any:
    match shape.type_name:
        case "structure":
            yield from _faults_of_structure(value, shape, where)
        case "list":
            if not isinstance(value, list):
                yield f"{where} is no list"
                return
            yield from _faults_of_length(len(value), shape, where)
            for number, entry in enumerate(value):
                yield from _faults(entry, shape.member, f"{where}[{number}]")
        case "map":
            for name, entry in value.items():
                yield from _faults(name, shape.key, f"{where} key")
                yield from _faults(entry, shape.value, f"{where}.{name}")
        case "timestamp":
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield f"{where} is no number of seconds"
        case plain:
            if not isinstance(value, _PLAIN[plain]) or (isinstance(value, bool) and plain != "boolean"):
                yield f"{where} is no {plain}: {value!r}"
                return
            yield from _faults_of_plain(value, shape, where)


def _faults_of_structure(value: Any, shape: Shape, where: str) -> Any:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{where} lacks {name}"
    for name, member in value.items():
        if name not in shape.members:
            yield f"{where}.{name} is not known"
        else:
            yield from _faults(member, shape.members[name], f"{where}.{name}")


def _faults_of_plain(value: Any, shape: Shape, where: str) -> Any:
    if isinstance(value, str):
        yield from _faults_of_length(len(value), shape, where)
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{where} is none of {shape.enum}: {value!r}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            yield f"{_BOUND}{where} does not match {pattern}: {value!r}"
    elif not isinstance(value, bool):
        yield from _faults_of_length(value, shape, where)


def _faults_of_length(number: float, shape: Shape, where: str) -> Any:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and number < low:
        yield f"{_BOUND}{where} is below {low}: {number}"
    if high is not None and number > high:
        yield f"{_BOUND}{where} is above {high}: {number}"
