"""What the owner reads of a service of which guests can book nothing."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from src.booking.models import Session
from src.booking.queries.finding import find_service
from src.platform.services import Services
from src.tenants.models import Tenant
from src.tenants.queries.tenants import tenant_snapshot
from tests.support.builders import a_business, a_series, a_service
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("mode", "facts", "seen", "mended_at"),
    [
        ("series", {}, "bookable", []),
        ("series", {"has_begun": True}, "not_bookable", ["series edit"]),
        ("series", {"visibility": "unlisted"}, "not_bookable", ["series edit"]),
        ("series", {"lacks_series": True}, "not_bookable", ["plan"]),
        ("series", {"is_full": True}, "sold_out", ["series"]),
        ("single", {}, "not_bookable", ["session drop-in"]),
        ("single", {"drop_in_allowed": True}, "bookable", []),
        ("single", {"drop_in_allowed": True, "is_full": True}, "sold_out", ["session edit"]),
        ("both", {"lacks_series": True}, "not_bookable", ["plan", "session drop-in"]),
        ("both", {"has_begun": True}, "not_bookable", ["series edit", "session drop-in"]),
        ("both", {"has_begun": True, "drop_in_allowed": True}, "bookable", []),
        (
            "both",
            {"visibility": "unlisted", "drop_in_allowed": True},
            "not_bookable",
            ["series edit"],
        ),
    ],
)
async def test_a_service_of_which_nothing_can_be_booked_says_why(
    services: Services,
    clock: FrozenClock,
    mode: str,
    facts: dict[str, Any],
    seen: str,
    mended_at: list[str],
) -> None:
    """Each reason once, with the page where it is mended."""
    rules = dict(facts)
    has_begun, is_full = rules.pop("has_begun", False), rules.pop("is_full", False)
    lacks_series = rules.pop("lacks_series", False)
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, sales_mode=mode)
    term = await a_series(services.uow_factory, service, **rules)
    if has_begun:
        clock.advance(term.sessions[0].ends_at - clock.now() + timedelta(hours=1))
    async with services.uow_factory(lotus.id) as uow:
        if is_full:
            await uow.session.execute(update(Session).values(seats_taken=Session.capacity))
        if lacks_series:
            tenant = await uow.session.get_one(Tenant, lotus.id)
            plan = tenant.entitlements["plan"]
            kept = [feature for feature in plan["features"] if feature != "series"]
            tenant.entitlements = {**tenant.entitlements, "plan": {**plan, "features": kept}}
    async with services.uow_factory(lotus.id) as uow:
        tenant_now = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        found = await find_service(uow, tenant_now, service.id)
    assert found.seen == seen
    pages = [line.href.removeprefix("/app/lotus/").split("/") for line in found.why]
    named = {"series": "series", "sessions": "session", "plan": "plan"}
    assert [" ".join((named[page[0]], *page[2:])) for page in pages] == mended_at
    assert all(line.sentence and line.mend for line in found.why)
