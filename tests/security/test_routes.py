"""Every route has a gate, and none of them opens another business's things."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from src.billing.models import OpenItem, Payment, Refund
from src.booking.commands.cancel import cancel_session
from src.booking.models import Booking, TimetableImport
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import ApiKey, Customer, CustomerNote, Location, Performer
from src.tenants.web.guards import needs_of
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import (
    Business,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
)
from tests.support.shared_app import app_for
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Route:
    """One handler at one address."""

    path: str
    method: str
    handler: HTTPRouteHandler

    def filled(self, values: dict[str, object]) -> str | None:
        """The address with the values in its places; None when one of them is unknown."""
        names = re.findall(r"\{(\w+)(?::\w+)?\}", self.path)
        if not set(names) <= set(values):
            return None
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: str(values[found[1]]), self.path)


def routes(app: Litestar) -> Iterator[Route]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    yield Route(route.path_format, method, handler)


@pytest.fixture
def app(services: Services) -> Litestar:
    return app_for(services)


async def test_every_route_has_a_gate_a_role_or_a_reason_to_be_public(app: Litestar) -> None:
    bare = [
        f"{route.method} {route.path}"
        for route in routes(app)
        if not needs_of(route.handler) and not route.handler.opt.get("public")
    ]
    assert bare == []


async def test_no_route_is_both_public_and_guarded(app: Litestar) -> None:
    both = [
        route.path
        for route in routes(app)
        if needs_of(route.handler) and route.handler.opt.get("public")
    ]
    assert both == []


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def rival(services: Services) -> Business:
    return await a_business(services.uow_factory, "rival", owner="Eve")


@pytest.fixture
async def ids(services: Services, lotus: Business) -> dict[str, object]:
    """One of everything of the business, by the names that paths give their places."""
    factory = services.uow_factory
    service = await a_service(factory, lotus.id)
    session = await a_session(factory, service)
    term = await a_series(factory, service, price_type="free", price_minor=0)
    made = await booked(factory, lotus, a_wish("series", term.series.id))
    async with factory(lotus.id) as uow:
        now = uow.clock.now()
        performer = Performer(tenant_id=lotus.id, id=new_id(), name="Ivan", created_at=now)
        location = Location(tenant_id=lotus.id, id=new_id(), name="Hall", created_at=now)
        key = ApiKey(
            tenant_id=lotus.id,
            id=new_id(),
            name="site",
            secret_hash="x",
            last_four="abcd",
            created_by=lotus.owner.id,
            created_at=now,
        )
        payment = Payment(
            tenant_id=lotus.id,
            id=new_id(),
            order_id=made.order_id,
            account_id="acct_lotus",
            payment_intent_id="pi_lotus",
            amount_minor=6000,
            currency="EUR",
            received_at=now,
        )
        uow.session.add_all([performer, location, key, payment])
        await uow.session.flush()
        refund = Refund(
            tenant_id=lotus.id,
            id=new_id(),
            order_id=made.order_id,
            payment_id=payment.id,
            amount_minor=100,
            cause="by_staff",
            cause_key="one",
            state="failed",
            body={},
            created_at=now,
        )
        item = OpenItem(
            tenant_id=lotus.id,
            id=new_id(),
            kind="refund_failed",
            subject_id=refund.id,
            sentence="Look here.",
            created_at=now,
        )
        upload = TimetableImport(
            tenant_id=lotus.id,
            id=new_id(),
            service_id=service.id,
            filename="times.csv",
            content=b"title,date,start,end\n",
            options={},
            digest="",
            created_at=now,
        )
        note = CustomerNote(
            tenant_id=lotus.id,
            id=new_id(),
            customer_id=made.order.customer_id,
            text="Prefers the back row.",
            author_name="Olive",
            created_at=now,
        )
        other = Customer(tenant_id=lotus.id, id=new_id(), name="Karl", created_at=now)
        uow.session.add_all([refund, item, upload, note, other])
        booking = await uow.session.get_one(Booking, (lotus.id, made.booking_id))
        cancellation_id = await cancel_session(
            uow, lotus.ctx, session.id, reason="", undo_seconds=60
        )
    known: dict[str, UUID] = {
        "service_id": service.id,
        "session_id": term.sessions[0].id,
        "series_id": term.series.id,
        "booking_id": booking.id,
        "order_id": made.order_id,
        "performer_id": performer.id,
        "location_id": location.id,
        "key_id": key.id,
        "cancellation_id": cancellation_id,
        "refund_id": refund.id,
        "item_id": item.id,
        "import_id": upload.id,
        "payment": payment.id,
        "customer_id": made.order.customer_id,
        "other_id": other.id,
        "note_id": note.id,
    }
    return dict(known)


async def answer(client: AsyncClient, route: Route, path: str, token: str) -> int:
    sent: dict[str, Any] = {"data": {"_csrf_token": token}} if route.method == "POST" else {}
    response = await client.request(route.method, path, **sent)
    return response.status_code


async def a_token(client: AsyncClient) -> str:
    shown = await client.get("/account")
    found = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert found is not None
    return found[1]


async def test_a_stranger_finds_nothing_of_another_business(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    lotus: Business,
    rival: Business,
    ids: dict[str, object],
) -> None:
    """Eve, owner of another business, asks for every page of the dashboard of lotus."""
    await sign_in(client, services, rival.owner.id)
    token = await a_token(client)
    tried = 0
    for route in routes(app):
        path = route.filled({**ids, "slug": lotus.slug, "key": "growth"})
        if path is None or not route.path.startswith("/app/{slug"):
            continue
        tried += 1
        assert await answer(client, route, path, token) == 404, f"{route.method} {route.path}"
    assert tried > 20


async def test_anothers_ids_do_not_exist_below_ones_own_slug(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    lotus: Business,
    rival: Business,
    ids: dict[str, object],
) -> None:
    """Eve puts the ids of lotus into the addresses of her own business."""
    await sign_in(client, services, rival.owner.id)
    token = await a_token(client)
    tried = 0
    for route in routes(app):
        path = route.filled({**ids, "slug": rival.slug})
        asked = f"{path}?payment={ids['payment']}"
        has_id = any(f"{{{name}" in route.path for name in ids)
        if path is None or not has_id or not route.path.startswith("/app/{slug"):
            continue
        tried += 1
        assert await answer(client, route, asked, token) == 404, f"{route.method} {route.path}"
    assert tried > 10


async def test_every_id_in_an_address_is_one_that_these_tests_know(
    app: Litestar, ids: dict[str, object]
) -> None:
    """A new kind of id in a path joins `ids`, or the tests above would pass it by."""
    names = {
        name
        for route in routes(app)
        if route.path.startswith(("/app/{slug", "/b/{slug"))
        for name in re.findall(r"\{(\w+)(?::\w+)?\}", route.path)
    }
    others = {"slug", "key", "service_slug", "token"}
    assert names - others <= set(ids)


async def test_an_instructor_reaches_no_page_that_asks_for_more(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    lotus: Business,
    ids: dict[str, object],
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    token = await a_token(client)
    for route in routes(app):
        path = route.filled({**ids, "slug": lotus.slug, "key": "growth"})
        needs = needs_of(route.handler)
        if path is None or not {"member:manager", "member:owner"} & set(needs):
            continue
        assert await answer(client, route, path, token) == 403, f"{route.method} {route.path}"


async def test_the_platforms_desk_does_not_exist_for_owners(
    app: Litestar, client: AsyncClient, services: Services, lotus: Business
) -> None:
    await sign_in(client, services, lotus.owner.id)
    token = await a_token(client)
    for route in routes(app):
        if not route.path.startswith("/admin"):
            continue
        path = re.sub(r"\{\w+:uuid\}", str(new_id()), route.path)
        path = re.sub(r"\{\w+(:\w+)?\}", "growth", path)
        assert await answer(client, route, path, token) == 404, f"{route.method} {route.path}"
