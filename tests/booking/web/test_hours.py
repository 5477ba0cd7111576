"""The pages about when somebody can be booked, as owners and instructors go through them."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.commands.book import book
from src.booking.models import ClosedDay, Session
from src.booking.queries.hours import get_week, list_other_days
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Performer
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import Business, a_business, a_member
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

CLOSED = "/app/lotus/settings/closed-days"


async def opened(client: AsyncClient, services: Services) -> tuple[Business, Practice, str]:
    business = await a_business(services.uow_factory)
    practice = await a_practice(services.uow_factory, business)
    await as_owner(client, services, business)
    hours = f"/app/lotus/settings/performers/{practice.performer_ids[0]}/hours"
    return business, practice, hours


async def booked(services: Services, business: Business, practice: Practice) -> date:
    """An appointment at ten of UTC on the next Wednesday that is a day off at least."""
    now = services.clock.now()
    days = (2 - now.weekday()) % 7 or 7
    async with services.uow_factory(business.id) as uow:
        await book(uow, business.ctx, practice.wish(next_day_at(now, 10, days)))
    return (now + timedelta(days=days)).date()


async def week_of(services: Services, business: Business, performer_id: UUID) -> dict[int, Any]:
    async with services.uow_factory(business.id) as uow:
        return await get_week(uow, performer_id)


async def test_a_week_is_typed_as_times(client: AsyncClient, services: Services) -> None:
    business, practice, hours = await opened(client, services)
    changes = {"day_0.1.starts": "18:00", "day_0.1.ends": "00:00", "day_4.0.starts": ""}
    saved = await send(client, hours, changes | {"day_4.0.ends": ""})
    assert saved.status_code == 303, saved.text
    week = await week_of(services, business, practice.performer_ids[0])
    assert week[0] == [(540, 1020), (1080, 1440)]
    assert week[1] == [(540, 1020)]
    assert week[4] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"day_0.0.ends": ""}, "day_0.0.ends"),
        ({"day_0.0.ends": "08:00"}, "day_0"),
        ({"day_0.1.starts": "16:00", "day_0.1.ends": "18:00"}, "day_0"),
        ({"day_0.0.starts": "nine"}, "day_0.0.starts"),
    ],
)
async def test_hours_that_cannot_be_are_said_at_their_day(
    client: AsyncClient, services: Services, changes: dict[str, str], field: str
) -> None:
    business, practice, hours = await opened(client, services)
    refused = await send(client, hours, changes)
    assert refused.status_code == 422
    assert f'id="f-{field.replace(".", "-")}-error"' in refused.text
    assert (await week_of(services, business, practice.performer_ids[0]))[0] == [(540, 1020)]


async def test_monday_is_copied_and_saved_only_then(
    client: AsyncClient, services: Services
) -> None:
    business, practice, hours = await opened(client, services)
    typed = {"day_0.0.starts": "07:30", "copy": "monday"}
    copied = await send(client, hours, typed)
    assert fields_of(copied, hours)["day_4.0.starts"] == ["07:30"]
    assert (await week_of(services, business, practice.performer_ids[0]))[4] == [(540, 1020)]
    assert (await send_again(client, hours, copied, {})).status_code == 303
    assert (await week_of(services, business, practice.performer_ids[0]))[4] == [(450, 1020)]


async def test_what_is_booked_outside_is_said_before_and_after(
    client: AsyncClient, services: Services
) -> None:
    business, practice, hours = await opened(client, services)
    await booked(services, business, practice)
    asked = await send(client, hours, {"day_2.0.starts": "", "day_2.0.ends": ""})
    assert asked.status_code == 200
    assert "1 appointment lies outside these hours" in asked.text
    assert re.search(r"\S · Coaching · \S", asked.text), "each part with its blanks"
    assert (await week_of(services, business, practice.performer_ids[0]))[2], "nothing saved yet"
    assert (await send_again(client, hours, asked, {})).status_code == 303
    assert (await week_of(services, business, practice.performer_ids[0]))[2] == []
    after = await client.get(hours)
    assert "it stays as booked" in after.text
    assert "/app/lotus/sessions/" in after.text


async def test_days_off_stand_in_for_the_week_until_removed(
    client: AsyncClient, services: Services
) -> None:
    business, practice, hours = await opened(client, services)
    on = await booked(services, business, practice)
    last = on + timedelta(days=2)
    shown = await client.get(hours)
    typed = {"on_date": on.isoformat(), "until_on": last.isoformat(), "off": "on", "note": "Away"}
    asked = await send_again(client, f"{hours}/days", shown, typed)
    assert "1 appointment lies outside these hours" in asked.text
    saved = await send_again(client, f"{hours}/days", asked, {})
    assert saved.status_code == 303, saved.text
    async with services.uow_factory(business.id) as uow:
        days = await list_other_days(uow, practice.performer_ids[0], on)
    assert [(day.on_date, day.hours, day.note) for day in days] == [
        (on + timedelta(days=day), [], "Away") for day in range(3)
    ]
    removed = await client.post(
        f"{hours}/days/remove",
        data={**fields_of(await client.get(hours), f"{hours}/days/remove")},
    )
    assert removed.status_code == 303
    assert (await client.get(hours)).text.count("/days/remove") == 2


async def test_a_day_without_hours_has_to_be_meant(client: AsyncClient, services: Services) -> None:
    _business, _practice, hours = await opened(client, services)
    shown = await client.get(hours)
    day = {"on_date": "2030-01-01"}
    refused = await send_again(client, f"{hours}/days", shown, day)
    assert refused.status_code == 422
    assert 'id="f-hours-error"' in refused.text
    back = await send_again(client, f"{hours}/days", shown, day | {"until_on": "2029-12-31"})
    assert 'id="f-until_on-error"' in back.text


async def test_an_instructor_changes_their_own_hours_only(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    practice = await a_practice(services.uow_factory, business, "Nora", "Paul")
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    own, other = practice.performer_ids
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(
            update(Performer).where(Performer.id == own).values(user_id=ivan.user_id)
        )
    await sign_in(client, services, ivan.user_id)
    led = await client.get("/app/lotus/hours")
    assert led.headers["location"].endswith(f"/performers/{own}/hours")
    mine = f"/app/lotus/settings/performers/{own}/hours"
    assert (await send(client, mine, {"day_0.0.starts": "08:00"})).status_code == 303
    theirs = f"/app/lotus/settings/performers/{other}/hours"
    assert (await client.get(theirs)).status_code == 404
    forged = await send(client, mine, {"day_0.0.starts": "08:00"}, to=theirs)
    assert forged.status_code == 404
    assert (await week_of(services, business, other))[0] == [(540, 1020)]


async def test_who_is_no_performer_is_told_so(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    assert ivan.user_id
    await sign_in(client, services, ivan.user_id)
    led = await client.get("/app/lotus/hours", follow_redirects=True)
    assert "You are no performer here yet" in led.text


async def test_closed_days_are_added_and_removed(client: AsyncClient, services: Services) -> None:
    business, practice, _hours = await opened(client, services)
    on = await booked(services, business, practice)
    shown = await client.get(CLOSED)
    typed = {"on_date": on.isoformat(), "name": "Stocktaking"}
    asked = await send_again(client, CLOSED, shown, typed)
    assert "1 appointment is booked then" in asked.text
    assert (await send_again(client, CLOSED, asked, {})).status_code == 303
    listed = await client.get(CLOSED)
    assert "Stocktaking" in listed.text
    assert (await send_again(client, f"{CLOSED}/remove", listed, {})).status_code == 303
    assert "Stocktaking" not in (await client.get(CLOSED)).text


async def test_public_holidays_are_shown_first_and_the_chosen_ones_added(
    client: AsyncClient, services: Services
) -> None:
    business, _practice, _hours = await opened(client, services)
    year = services.clock.now().year + 1
    shown = await client.get(CLOSED, params={"holidays_of": "NL", "year": str(year)})
    assert shown.status_code == 200, shown.text
    days = fields_of(shown, f"{CLOSED}/holidays")["days"]
    assert f"{year}-12-25" in days
    chosen = {"days": [f"{year}-12-25", f"{year}-12-26", f"{year}-12-27"]}
    saved = await send_again(client, f"{CLOSED}/holidays", shown, chosen)
    assert saved.status_code == 303, saved.text
    async with services.uow_factory(business.id) as uow:
        found = list(await uow.session.scalars(select(ClosedDay.on_date)))
    assert sorted(found) == [date(year, 12, 25), date(year, 12, 26)], "the 27th is none"


async def test_no_holidays_of_a_place_nobody_knows(client: AsyncClient, services: Services) -> None:
    await opened(client, services)
    for place, year in (("PUBLIC", "2027"), ("NL", "soon"), ("NL", "99999")):
        shown = await client.get(CLOSED, params={"holidays_of": place, "year": year})
        assert shown.status_code == 422


async def test_who_puts_somebody_aside_reads_what_they_have_ahead(
    client: AsyncClient, services: Services
) -> None:
    business, practice, hours = await opened(client, services)
    await booked(services, business, practice)
    one = hours.removesuffix("/hours")
    shown = await client.get(one)
    assert "What they have ahead" in shown.text
    assert "/app/lotus/sessions/" in shown.text
    assert "Nobody else gives “Coaching”" in shown.text
    sent = await send_again(client, f"{one}/active", shown, {})
    assert sent.headers["location"].endswith(one)
    assert "/app/lotus/sessions/" in (await client.get(one)).text
    assert "Nobody gives it" in (await client.get("/app/lotus/services")).text
    async with services.uow_factory(business.id) as uow:
        assert await uow.session.scalar(select(Session.state)) == "scheduled"


async def test_whose_service_is_taken_keeps_what_is_booked(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    practice = await a_practice(services.uow_factory, business, "Nora", "Paul")
    await as_owner(client, services, business)
    await booked(services, business, practice)
    async with services.uow_factory(business.id) as uow:
        gives = await uow.session.scalar(select(Session.performer_id))
    stays = [str(one) for one in practice.performer_ids if one != gives]
    edit = f"/app/lotus/services/{practice.service.id}/edit"
    assert (await send(client, edit, {"performer_ids": stays})).status_code == 303
    told = (await client.get("/app/lotus/services")).text
    assert "lies ahead and stays as booked" in told
