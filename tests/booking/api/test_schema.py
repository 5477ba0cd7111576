"""The API's description of itself is whole, well formed, and tells the truth."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient

from src.booking.web.api import examples
from src.booking.web.api.bodies import CancelIn, SeatMoveIn, SeatsIn, SeriesIn, ServiceIn, SessionIn
from src.booking.web.api.bookings import BookingIn
from src.booking.web.api.changes import SeriesChange, ServiceChange, SessionChange
from src.booking.web.api.refusals import PlanProblem, Problem
from src.booking.web.api.schema import api_schema, operations
from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.support.builders import a_business

pytestmark = pytest.mark.anyio

BODIES = {
    kind.__name__: kind
    for kind in (
        BookingIn,
        CancelIn,
        SeatMoveIn,
        SeatsIn,
        SeriesChange,
        SeriesIn,
        ServiceChange,
        ServiceIn,
        SessionChange,
        SessionIn,
    )
}
METHODS = {"get", "put", "post", "delete", "patch"}
TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
HOW_MANY = {"type", "$ref", "oneOf", "anyOf", "enum"}


def every(node: Any, key: str) -> Iterator[Any]:
    """The values of that key, however deep; what examples hold is no schema."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            if name not in {"example", "examples", "default"}:
                yield from every(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from every(value, key)


def calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in api_schema()["paths"].items():
        for method, spec in methods.items():
            yield path, method, spec


def check_schema(schema: dict[str, Any], where: str) -> None:
    """One JSON schema as draft 2020-12 has it, as far as ours go."""
    assert HOW_MANY & set(schema), where
    kinds = schema.get("type", [])
    assert set([kinds] if isinstance(kinds, str) else kinds) <= TYPES, where
    properties = schema.get("properties", {})
    assert set(schema.get("required", [])) <= set(properties), where
    for name, inner in properties.items():
        check_schema(inner, f"{where}.{name}")
    if schema.get("type") == "array":
        check_schema(schema["items"], f"{where}[]")
    for inner in [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        check_schema(inner, where)


def test_every_reference_leads_somewhere_and_every_schema_is_one() -> None:
    schema = api_schema()
    known = schema["components"]["schemas"]
    for reference in every(schema, "$ref"):
        assert re.fullmatch(r"#/components/schemas/(\w+)", reference), reference
        assert reference.rpartition("/")[2] in known
    for name, inner in known.items():
        check_schema(inner, name)
    for inner in every(schema["paths"], "schema"):
        check_schema(inner, str(inner))
    assert set(schema) == {"openapi", "info", "servers", "paths", "components", "security"}
    assert schema["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(schema["info"])
    [needed] = schema["security"]
    assert set(needed) <= set(schema["components"]["securitySchemes"])


def test_every_call_has_its_parameters_and_a_name_of_its_own() -> None:
    names = [spec["operationId"] for _path, _method, spec in calls()]
    assert len(names) == len(set(names)) > 15
    for path, method, spec in calls():
        where = f"{method} {path}"
        assert method in METHODS, where
        assert path.startswith("/api/v1/"), where
        assert spec["summary"], where
        parameters = {(each["in"], each["name"]): each for each in spec.get("parameters", [])}
        assert len(parameters) == len(spec.get("parameters", [])), where
        in_path = {name for place, name in parameters if place == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path)), where
        for (place, _name), each in parameters.items():
            assert each["required"] is (place == "path"), where
            assert "null" not in str(each["schema"]), where
        assert method in {"post", "put"} or "requestBody" not in spec, where


def test_every_call_says_what_it_refuses_and_how() -> None:
    for path, method, spec in calls():
        where = f"{method} {path}"
        answers = spec["responses"]
        good = [status for status in answers if int(status) < 400]
        assert len(good) == 1, where
        assert answers[good[0]]["content"]["application/json"]["schema"], where
        assert {"400", "401", "403", "429"} <= set(answers), where
        assert ("404" in answers) or "{" not in path, where
        for status in set(answers) - set(good):
            [(kind, content)] = answers[status]["content"].items()
            assert kind == "application/problem+json", where
            wanted = PlanProblem if status == "402" else Problem
            assert content["schema"] == {"$ref": f"#/components/schemas/{wanted.__name__}"}, where
            assert msgspec.convert(content["example"], wanted).status == int(status), where
    what_plans_limit = {path for path, _method, spec in calls() if "402" in spec["responses"]}
    assert what_plans_limit == {
        "/api/v1/services",
        "/api/v1/services/{service_id}",
        "/api/v1/sessions",
        "/api/v1/series",
        "/api/v1/series/{series_id}",
        "/api/v1/series/{series_id}/publish",
        "/api/v1/bookings",
    }


def test_every_body_has_an_example_that_the_call_takes() -> None:
    known = api_schema()["components"]["schemas"]
    taken = {
        spec["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for _path, _method, spec in calls()
        if "requestBody" in spec
    }
    assert taken == set(examples.BODIES) == set(BODIES)
    for name in taken:
        [example] = known[name]["examples"]
        msgspec.json.decode(msgspec.json.encode(example), type=BODIES[name])
        assert set(example) <= set(known[name]["properties"])


def test_the_key_of_a_booking_is_described() -> None:
    book = api_schema()["paths"]["/api/v1/bookings"]["post"]
    [key] = [each for each in book["parameters"] if each["in"] == "header"]
    assert key["name"] == "Idempotency-Key"
    assert key["schema"]["maxLength"] == 200
    assert key["description"]
    assert key["example"]


async def test_refusals_are_as_described(
    program: Program, client: AsyncClient, services: Services
) -> None:
    small = await a_business(services.uow_factory, "small", plan="starter", owner="Sam")
    limited = await a_program(client, services, small)
    service = {"name": "Yoga"}
    answers = [
        (400, await program.post("/services", {"name": 7})),
        (401, await client.get("/api/v1/me")),
        (402, await limited.post("/services", service)),
        (404, await program.get("/services/018f0000-0000-7000-8000-000000000000")),
        (422, await program.post("/services", {**service, "slug": "!"})),
    ]
    for status, answer in answers:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        kind = PlanProblem if status == 402 else Problem
        msgspec.json.decode(answer.content, type=kind)
        members = {*kind.__struct_fields__}
        assert set(answer.json()) <= members, answer.text


async def test_the_description_and_its_page_are_served_to_everyone(client: AsyncClient) -> None:
    assert (await client.get("/api/v1/openapi.json")).json() == api_schema()
    page = await client.get("/api/v1/docs")
    assert page.status_code == 200
    for path, _method, _spec in calls():
        assert path in page.text


async def test_the_page_shows_the_words_that_a_field_may_have(client: AsyncClient) -> None:
    page = await client.get("/api/v1/docs")
    for words in ("in_person | online", "public | unlisted | hidden", "block | sell_with_gaps"):
        assert words in page.text
    assert "SessionMode" not in page.text
    assert "plan_limit_reached" in page.text


def test_what_a_name_does_not_say_is_said_beside_it() -> None:
    told = {
        field.name: field.text
        for call in operations("https://seatline.example").operations
        for field in call.fields
    }
    assert "Sent again with the same body" in told["Idempotency-Key"]
    assert "`key` of each" in told["answers"]
