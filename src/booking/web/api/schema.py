"""The API's own description, made from its handlers."""

from functools import lru_cache
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from src.booking.web.api import bookings, catalogue

PREFIX = "/api/v1"
DESCRIPTION = (
    "Book and manage sessions from your own site. Every call carries `Authorization: Bearer sl_...`"
    " with a key made under Settings, API keys. Money is in minor units; moments carry their"
    " offset. Refusals are problem documents (RFC 9457) with a `code` for programs and, where a"
    " field is to blame, `fields`."
)


@lru_cache(maxsize=1)
def api_schema() -> dict[str, Any]:
    """The OpenAPI document of the API's routes, and of nothing else."""
    app = Litestar(
        route_handlers=[
            Router(
                path=PREFIX, route_handlers=[*catalogue.route_handlers, *bookings.route_handlers]
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
    return app.openapi_schema.to_schema()


def _never_called() -> Provide:
    """A stand-in, one of its own for each name as the framework wants it."""
    return Provide(lambda: None, sync_to_thread=False)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One call, as the documentation shows it."""

    method: str
    path: str
    summary: str
    text: str
    fields: list[tuple[str, str, str]]


class ApiDocs(msgspec.Struct, frozen=True, kw_only=True):
    """The documentation page."""

    example: str
    operations: list[Operation]


def operations(base_url: str) -> ApiDocs:
    """Every call with the fields of its body."""
    schema = api_schema()
    found = [
        _operation(schema, path, method, spec)
        for path, methods in schema["paths"].items()
        for method, spec in methods.items()
    ]
    example = f'curl -H "Authorization: Bearer sl_..." {base_url}{PREFIX}/me'
    return ApiDocs(example=example, operations=found)


def _operation(schema: dict[str, Any], path: str, method: str, spec: dict[str, Any]) -> Operation:
    content = spec.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    body = schema.get("components", {}).get("schemas", {}).get(name, {})
    required = set(body.get("required", []))
    fields = [
        (field, _kind(about), "required" if field in required else "")
        for field, about in body.get("properties", {}).items()
    ]
    queries = [
        (each["name"], _kind(each.get("schema", {})), each["in"])
        for each in spec.get("parameters", [])
        if each["in"] != "path"
    ]
    return Operation(
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        text=spec.get("description", ""),
        fields=queries + fields,
    )


def _kind(about: dict[str, Any]) -> str:
    """The type of a field in a word or two."""
    for key in ("oneOf", "anyOf"):
        if key in about:
            return " or ".join(_kind(each) for each in about[key])
    if "enum" in about:
        return " | ".join(str(value) for value in about["enum"])
    if "$ref" in about:
        return str(about["$ref"].rpartition("/")[2])
    if about.get("type") == "array":
        return f"list of {_kind(about.get('items', {}))}"
    return str(about.get("format") or about.get("type") or "value")
