"""The API's own description, made from its handlers."""

import json
from functools import lru_cache
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from src.booking.web.api import (
    bookings,
    cancellations,
    catalogue,
    collections,
    drop_in,
    examples,
    packages,
    seats,
    waitlists,
)

PREFIX = "/api/v1"
DESCRIPTION = (
    "Book and manage sessions from your own site. Every call carries `Authorization: Bearer sl_...`"
    " with a key made under Settings, API keys. Money is in minor units; moments carry their"
    " offset. Refusals are problem documents (RFC 9457) with a `code` for programs and, where a"
    " field is to blame, `errors`."
)


@lru_cache(maxsize=1)
def api_schema() -> dict[str, Any]:
    """The OpenAPI document of the API's routes, and of nothing else."""
    app = Litestar(
        route_handlers=[
            Router(
                path=PREFIX,
                route_handlers=[
                    *catalogue.route_handlers,
                    *bookings.route_handlers,
                    *seats.route_handlers,
                    *cancellations.route_handlers,
                    *waitlists.route_handlers,
                    *drop_in.route_handlers,
                    *packages.route_handlers,
                    *collections.route_handlers,
                ],
            )
        ],
        dependencies={name: _never_called() for name in ("services", "ctx")},
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Seatline API",
            version="1",
            description=DESCRIPTION,
            components=Components(
                security_schemes={
                    "key": SecurityScheme(type="http", scheme="bearer", description="An API key.")
                }
            ),
            security=[{"key": []}],
            use_handler_docstrings=True,
        ),
    )
    plain = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    return _with_examples(plain)


def _with_examples(schema: dict[str, Any]) -> dict[str, Any]:
    """With an example of each body and refusal, and headers and queries that are never null."""
    for name, body in examples.BODIES.items():
        schema["components"]["schemas"][name]["examples"] = [body]
    for methods in schema["paths"].values():
        for spec in methods.values():
            for parameter in spec.get("parameters", []):
                _tidy_parameter(parameter)
            for status, answer in spec["responses"].items():
                for content in answer.get("content", {}).values():
                    if int(status) in examples.REFUSALS:
                        content["example"] = examples.REFUSALS[int(status)]
    return schema


def _tidy_parameter(parameter: dict[str, Any]) -> None:
    """A value that may be left out cannot be sent as null."""
    kinds = [kind for kind in parameter["schema"].pop("oneOf", []) if kind != {"type": "null"}]
    if kinds:
        parameter["schema"] |= kinds[0]
    if parameter["name"] == "Idempotency-Key":
        parameter["schema"] |= {"minLength": 1, "maxLength": bookings.LONGEST_KEY}
        parameter["example"] = examples.KEY


def _never_called() -> Provide:
    """A stand-in, one of its own for each name as the framework wants it."""
    return Provide(lambda: None, sync_to_thread=False)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a call takes; `note` is empty, "required", or where it goes; `text` says more
    where the name does not say enough.
    """

    name: str
    kind: str
    note: str = ""
    text: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a call answers with under a status, or why it refuses."""

    status: str
    text: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One call, as the documentation shows it."""

    method: str
    path: str
    summary: str
    text: str
    fields: list[Field]
    example: str
    answers: list[Answer]


class ApiDocs(msgspec.Struct, frozen=True, kw_only=True):
    """The documentation page."""

    example: str
    operations: list[Operation]
    refusal: str


def operations(base_url: str) -> ApiDocs:
    """Every call with the fields of its body, what it answers and what it may be refused with."""
    schema = api_schema()
    found = [
        _operation(schema, path, method, spec)
        for path, methods in schema["paths"].items()
        for method, spec in methods.items()
    ]
    example = f'curl -H "Authorization: Bearer sl_..." {base_url}{PREFIX}/me'
    return ApiDocs(example=example, operations=found, refusal=_shown(examples.REFUSALS[402]))


def _operation(schema: dict[str, Any], path: str, method: str, spec: dict[str, Any]) -> Operation:
    body = _body(schema, spec.get("requestBody", {}))
    return Operation(
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        text=spec.get("description", ""),
        fields=[*_parameters(schema, spec), *_fields(schema, body)],
        example="".join(_shown(each) for each in body.get("examples", [])[:1]),
        answers=[_answer(schema, *each) for each in spec["responses"].items()],
    )


def _body(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """What the call's or the answer's JSON is, its name followed; empty where it has none."""
    for content in spec.get("content", {}).values():
        found: dict[str, Any] = content.get("schema", {})
        return _named(schema, found)
    return {}


def _named(schema: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    name = about.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name] if name else about
    return found


def _parameters(schema: dict[str, Any], spec: dict[str, Any]) -> list[Field]:
    return [
        Field(
            name=each["name"],
            kind=_kind(schema, each["schema"]),
            note=each["in"],
            text=each.get("description", ""),
        )
        for each in spec.get("parameters", [])
        if each["in"] != "path"
    ]


def _fields(schema: dict[str, Any], body: dict[str, Any]) -> list[Field]:
    required = set(body.get("required", []))
    return [
        Field(
            name=name,
            kind=_kind(schema, about),
            note="required" if name in required else "",
            text=about.get("description", ""),
        )
        for name, about in body.get("properties", {}).items()
    ]


def _answer(schema: dict[str, Any], status: str, spec: dict[str, Any]) -> Answer:
    if int(status) >= 400:
        return Answer(status=status, text=spec["description"])
    fields = _body(schema, spec).get("properties", {})
    return Answer(
        status=status,
        text=", ".join(f"{name}: {_kind(schema, about)}" for name, about in fields.items()),
    )


def _kind(schema: dict[str, Any], about: dict[str, Any]) -> str:
    """The type of a field in a few words; of a closed set of words, each of them."""
    for key in ("oneOf", "anyOf"):
        if key in about:
            return " or ".join(_kind(schema, each) for each in about[key])
    named = _named(schema, about)
    if "enum" in named:
        return " | ".join(str(value) for value in named["enum"])
    if named is not about:
        return str(named["title"])
    if about.get("type") == "array":
        return f"list of {_kind(schema, about.get('items', {}))}"
    return str(about.get("format") or about.get("type") or "value")


def _shown(example: dict[str, Any]) -> str:
    return json.dumps(example, indent=2)
