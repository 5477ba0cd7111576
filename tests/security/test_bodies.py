"""Another business's ids in what is sent are refused at their field, and nothing is written.

Every id that a body or a form can carry is looked up in its type, so a new one joins by itself
(API) or fails the test until it is told how to send it (forms).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import msgspec.inspect as mi
import pytest
from httpx import AsyncClient
from litestar import Litestar
from sqlalchemy import text

from src.platform.services import Services
from tests.security.test_isolation import a_key, api, body_of
from tests.security.walk import Route, a_token
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

WRITTEN = (
    "agreements",
    "agreement_needs",
    "agreement_signatures",
    "worksheets",
    "worksheet_needs",
    "worksheet_copies",
    "worksheet_files",
    "services",
    "sessions",
    "series",
    "bookings",
    "seats",
    "orders",
    "customers",
    "performer_busy",
    "timetable_imports",
    "audit",
    "refunds",
    "coupons",
    "tenant_bolt_ons WHERE ended_at IS NULL",
    "packages",
    "credit_lots",
    "credit_entries",
    "vouchers",
)


def ids_of(struct: type[msgspec.Struct]) -> dict[str, bool]:
    """The fields that carry an id, with whether they carry several."""
    info = mi.type_info(struct)
    assert isinstance(info, mi.StructType)
    found = {field.encode_name: list(_kinds(field.type)) for field in info.fields}
    return {
        name: any(isinstance(kind, mi.ListType) for kind in kinds)
        for name, kinds in found.items()
        if any(isinstance(kind, mi.UUIDType) for kind in kinds)
    }


def _kinds(node: mi.Type) -> Iterator[mi.Type]:
    """The type and all that it is made of."""
    yield node
    for inner in getattr(node, "types", ()):
        yield from _kinds(inner)
    for name in ("type", "item_type"):
        if isinstance(inner := getattr(node, name, None), mi.Type):
            yield from _kinds(inner)


async def how_much(services: Services, *businesses: Business) -> dict[str, int]:
    """How many rows each business has of everything that a body may make."""
    counts: dict[str, int] = {}
    for business in businesses:
        async with services.uow_factory(business.id) as uow:
            for table in WRITTEN:
                found = await uow.session.scalar(text(f"SELECT count(*) FROM {table}"))
                counts[f"{business.slug} {table}"] = found or 0
    return counts


def bodies(
    route: Route, own: Mapping[str, object], clock: FrozenClock
) -> tuple[dict[str, Any], dict[str, str]]:
    """A body that the call takes, all its ids one's own; and which thing each of them names."""
    body = dict(body_of(route) or {})
    names = {
        name: {"id": "series_id", **THINGS}.get(name, name)
        for name in ids_of(route.handler.parsed_fn_signature.parameters["data"].annotation)
    }
    for name, thing in names.items():
        body[name] = [str(own[thing])] if name.endswith("_ids") else str(own[thing])
    if "kind" in body:
        del body["expected_total_minor"]
        body["signed_name"] = "Carl Guest"
    if "starts_at" in body:
        # A session is published, then another is moved: the performer is free for both.
        days = 50 if route.method == "POST" else 60
        starts_at: datetime = clock.now() + timedelta(days=days)
        ends_at = starts_at + timedelta(hours=1)
        body |= {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    return body, names


async def test_an_api_body_with_anothers_id_is_refused_and_writes_nothing(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    clock: FrozenClock,
    lotus: Business,
    rival: Business,
    own: dict[str, object],
    theirs: dict[str, object],
) -> None:
    headers = await a_key(services, rival)
    tried: list[str] = []
    made: dict[str, object] = {}
    taken = [r for r in api(app) if body_of(r) is not None]
    for route in taken:
        body, names = bodies(route, own, clock)
        path = route.filled({**own, **made})
        before = await how_much(services, lotus, rival)
        for name, thing in names.items():
            if (route.method, name) == ("PUT", "service_id"):
                continue  # It is fixed once the series is made; what is sent is not looked at.
            foreign = [str(theirs[thing])] if name.endswith("_ids") else str(theirs[thing])
            shown = await client.request(
                route.method, path, json={**body, name: foreign}, headers=headers
            )
            assert shown.status_code in (404, 422), f"{route} {name} {shown.text}"
            if shown.status_code == 422:
                assert name in shown.json()["errors"], f"{route} {name} {shown.text}"
            assert await how_much(services, lotus, rival) == before, f"{route} {name}"
            tried.append(name)
        good = await client.request(route.method, path, json=body, headers=headers)
        # What one of these requests cancels stays in that cancelling until it is done.
        is_going = '"urn:seatline:problem:places_being_cancelled"' in good.text
        assert good.status_code < 300 or is_going, f"{route} {good.text}"
        if str(route) == "POST /api/v1/series":
            made["series_id"] = good.json()["id"]
    assert {"id", "service_id", "performer_id", "location_id", "session_ids"} <= set(tried)


def forms() -> Iterator[type[msgspec.Struct]]:
    """The forms of every page of a business."""
    waiting = list(msgspec.Struct.__subclasses__())
    while waiting:
        struct = waiting.pop()
        waiting += struct.__subclasses__()
        module = struct.__module__
        is_page = module.startswith("src.") and ".web." in module and ".admin" not in module
        if is_page and struct.__name__.endswith("Form"):
            yield struct


SESSION = {"starts_at": "2027-05-14T18:00", "ends_at": "2027-05-14T19:00", "capacity": "5"}
SERVICE = {
    "name": "Yoga",
    "slug": "rival-yoga",
    "duration_minutes": "60",
    "default_capacity": "5",
    "max_party": "5",
    "price": "15",
}
REPEAT = {
    "weekdays": "0",
    "start_on": "2027-05-14",
    "start_time": "18:00",
    "duration_minutes": "60",
    "count": "3",
    "capacity": "5",
    "step": "publish",
}
POLICY = {"rules.0.kind": "course", "rules.0.gives": "package", "rules.0.tiers.0.before": "24"}
SERIES = {"title": "Term", "price": "10"}
COPY = {"token": "01a21e4c-0000-7000-8000-000000000001", "first_on": "2027-05-14", "title": "T"}
OPTIONS = {"default_capacity": "5"}
HOW: dict[str, tuple[str, dict[str, Any]]] = {
    "SessionForm": ("/services/{service_id}/sessions/new", SESSION),
    "ServiceForm": ("/services/{service_id}/edit", SERVICE),
    "RepeatForm": ("/services/{service_id}/sessions/repeat", REPEAT),
    "CancelForm": ("/sessions/{session_id}/cancel", {"money": "credit"}),
    "PolicyForm": ("/series/{series_id}/refunds", POLICY),
    "SeriesForm": ("/services/{service_id}/series/new", SERIES),
    "CopyForm": ("/series/{series_id}/copy", COPY),
    "OptionsForm": ("/imports/{import_id}", OPTIONS),
    "ChoicesForm": ("/imports/{import_id}", OPTIONS),
    "CommitForm": ("/imports/{import_id}/commit", OPTIONS),
    "UploadForm": ("/services/{service_id}/import", OPTIONS),
    "InviteForm": ("/settings/team", {"email": "ivy@x.example", "role": "instructor"}),
    "MemberForm": ("/settings/team/{member_id}", {"role": "instructor"}),
    "PerformerForm": ("/settings/performers", {"name": "Ivy"}),
    "HandOnForm": (
        "/sessions/{session_id}/seats/{seat_id}/hand-on",
        {"name": "Ben", "address": "ben@x.example"},
    ),
    "PackageForm": ("/packages/new", {"name": "Ten", "credits": "10", "pays": ["on_site"]}),
    "AgreementForm": ("/agreements/new", {"title": "Waiver", "text": "Text"}),
    "AskedForForm": ("/agreements/{agreement_id}/asked-for", {}),
    "AgreementsOfForm": ("/services/{service_id}/agreements", {}),
    "SheetAskedForForm": ("/worksheets/{worksheet_id}/asked-for", {}),
    "WorksheetForm": ("/worksheets/new", {"title": "Health"}),
    "GiveForm": ("/customers/{customer_id}/worksheets", {}),
    "CouponForm": ("/coupons/new", {"code": "AUTUMN", "percent": "10"}),
    "CancelSeatsForm": (
        "/sessions/{session_id}/seats/cancel",
        {"sure": "on", "money": "credit", "seat_ids": "{seat_id}"},
    ),
    "CancelDatesForm": (
        "/sessions/chosen/cancel",
        {"sure": "on", "money": "credit", "session_ids": "{loose_session_id}"},
    ),
    "MessageForm": ("/sessions/{loose_session_id}/seats/message", {"sure": "on"}),
    "PaidForm": ("/sessions/{loose_session_id}/seats/paid", {"sure": "on"}),
    "MoveSeatsForm": ("/sessions/{loose_session_id}/seats/move", {"sure": "on"}),
    "CheckInForm": ("/check-in/{code}", {}),
    "SeveralForm": (
        "/sessions/{loose_session_id}/several",
        {"looked": "on", "change": ["place", "performer"]},
    ),
    "AttendanceForm": ("/sessions/{loose_session_id}/attendance", {"wanted": "confirmed"}),
    "RemoveForm": ("/plan/bolt-ons/{bolt_on}/remove", {}),
    "JoinForm": ("/groups/{group_id}/members", {}),
    "RefundForm": ("/orders/{order_id}/refund", {"amount": "1", "reason": "x"}),
    "MistakeForm": ("/orders/{order_id}/transfer/mistake", {"reason": "x"}),
}
"""Where each form is sent, and what it has beside its ids."""
THINGS = {
    "seat_ids": "left_seat_id",
    "seat_id": "moved_seat_id",
    "seat": "moved_seat_id",
    "to_session_id": "loose_session_id",
    "default_performer_id": "performer_id",
    "performer_ids": "performer_id",
    "default_location_id": "location_id",
    "session_ids": "loose_session_id",
    "service_ids": "service_id",
    "series_ids": "series_id",
    "package_ids": "package_id",
    "agreement_ids": "agreement_id",
    "agreed_version_ids": "version_id",
    "package": "refund_package_id",
    "payment": "payment_id",
    "ticked": "loose_session_id",
}
OWN_NEW_ID = "token"
LOOKS_FIRST = ("CancelDatesForm.package", "CopyForm.ticked")


async def test_a_form_with_anothers_id_is_refused_and_writes_nothing(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    rival: Business,
    own: dict[str, object],
    theirs: dict[str, object],
) -> None:
    await sign_in(client, services, rival.owner.id)
    token = await a_token(client)
    before = await how_much(services, lotus, rival)
    tried = 0
    for struct in forms():
        for name in ids_of(struct):
            if name == OWN_NEW_ID:
                continue
            assert struct.__name__ in HOW, f"say where {struct.__name__}.{name} is sent"
            where, more = HOW[struct.__name__]
            path = f"/app/{rival.slug}{where.format(**own)}"
            more = {key: _filled(value, own) for key, value in more.items()}
            if name == "performer_ids":  # Of the two kinds of services only one says who gives it.
                path, more = f"/app/{rival.slug}/services/new", {**more, "kind": "appointment"}
            sent = {"_csrf_token": token, **more, name: str(theirs[THINGS.get(name, name)])}
            files = {"file": ("t.csv", b"date,start,end\n", "text/csv")}
            shown = await client.post(
                path, data=sent, files=files if struct.__name__ == "UploadForm" else None
            )
            what = f"{struct.__name__}.{name}"
            # Without the mark of what was shown, the page only shows it again.
            looks_first = what in LOOKS_FIRST and shown.status_code == 200
            assert looks_first or shown.status_code in (404, 422), what
            if shown.status_code == 422:
                assert f'id="f-{name}-error"' in shown.text, f"{struct.__name__}.{name}"
            assert await how_much(services, lotus, rival) == before, f"{struct.__name__}.{name}"
            tried += 1
    assert tried > 8


def _filled(value: Any, own: dict[str, object]) -> Any:
    return value.format(**own) if isinstance(value, str) else value


def test_the_ids_of_a_type_are_found() -> None:
    class Form(msgspec.Struct):
        one: UUID
        perhaps: UUID | None = None
        several: list[UUID] = []
        word: str = ""

    assert ids_of(Form) == {"one": False, "perhaps": False, "several": True}
