"""What each call may be refused with, as the API's description tells it."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, Meta, UnsetType

from src.platform.web.errors import PROBLEM_TYPE


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a call was refused (RFC 9457). Nothing was changed."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Meta(description="A sentence for a person.")]
    code: Annotated[str, Meta(description="A word for a program; it never changes.")]
    request_id: str
    errors: Annotated[
        dict[str, str] | UnsetType, Meta(description="A sentence for each field to blame.")
    ] = UNSET


class PlanProblem(Problem, frozen=True, kw_only=True):
    """The plan does not reach this far: it lacks the `feature`, or the `limit` is used up."""

    feature: str | UnsetType = UNSET
    limit: str | UnsetType = UNSET
    current_plan: str
    cheapest_plan: Annotated[
        str | None, Meta(description="The cheapest plan that has it, null where none does.")
    ]
    cheapest_bolt_on: Annotated[
        str | None, Meta(description="The bolt-on that has it for less than a plan, or null.")
    ]


WHY = {
    400: "The body or the query is not what this call takes; `errors` says where.",
    401: "No key, an unknown one, or one that was revoked.",
    402: "The plan lacks a feature, or the month's bookings are used up.",
    403: "The business is suspended or closed, and its keys with it.",
    404: "There is no such thing in the key's business.",
    409: "It was possible a moment ago: sold out, started, changed, or the key was used before.",
    422: "What was sent cannot be used; `errors` says where.",
    429: "Too many calls in a minute; `Retry-After` says how many seconds to wait.",
    503: "Something the call needs does not answer. Try again later.",
}
ALWAYS = (400, 401, 403, 429)


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """For a handler's `responses`: those that every call has, and these."""
    return {
        status: ResponseSpec(
            data_container=PlanProblem if status == HTTPStatus.PAYMENT_REQUIRED else Problem,
            description=WHY[status],
            media_type=PROBLEM_TYPE,
            generate_examples=False,
        )
        for status in sorted({*ALWAYS, *statuses})
    }


def problem_example(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """A refusal as the program would word it."""
    return {
        "type": f"urn:seatline:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "0197b1c2d3e4",
        **more,
    }
