"""The owner's pages about coupons."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.models import Coupon
from src.booking.models import Seat
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import fields_of, send
from tests.support.builders import Business, Term, a_series, a_service
from tests.support.cancelling import seats_taken_back
from tests.support.coupons import a_coupon, lose_coupons

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/coupons"


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    return await a_series(services.uow_factory, await a_service(services.uow_factory, lotus.id))


async def stored(services: Services, business: Business) -> list[Coupon]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Coupon)))


async def test_an_owner_makes_a_coupon_and_sees_it_listed(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    assert "No coupon yet" in (await client.get(HOME)).text
    typed = {
        "code": "spring-5",
        "worth": "amount",
        "amount": "5,50",
        "scope": "series",
        "series_ids": str(term.series.id),
        "ends_on": "2027-12-31",
        "max_uses": "20",
        "max_per_customer": "1",
        "min_spend": "30",
    }
    answer = await send(client, f"{HOME}/new", typed)
    [coupon] = await stored(services, lotus)
    assert answer.headers["location"] == f"{HOME}/{coupon.id}"
    assert (coupon.code, coupon.amount_minor, coupon.percent) == ("SPRING-5", 550, None)
    assert (coupon.scope, coupon.scope_ids) == ("series", [str(term.series.id)])
    assert (coupon.max_uses, coupon.max_per_customer, coupon.min_spend_minor) == (20, 1, 3000)
    shown = (await client.get(HOME)).text
    assert "SPRING-5" in shown
    assert "0 of 20" in shown
    series = f"Yoga · {term.series.title}"
    for text in (shown, (await client.get(f"{HOME}/{coupon.id}")).text):
        assert f"{series} · bookings of €30.00 or more · 1 time a customer" in text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"percent": "110"}, "percent"),
        ({"percent": "0"}, "percent"),
        ({"percent": ""}, "percent"),
        ({"worth": "amount", "amount": "-5"}, "amount"),
        ({"worth": "amount", "amount": ""}, "amount"),
        ({"code": "=cmd()"}, "code"),
        ({"code": "spring"}, "code"),
        ({"scope": "services"}, "service_ids"),
        ({"starts_on": "2027-05-02", "ends_on": "2027-05-01"}, "ends_on"),
        ({"max_uses": "0"}, "max_uses"),
    ],
)
async def test_what_cannot_be_is_a_sentence_at_its_field_and_keeps_what_was_typed(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    typed: dict[str, str],
    field: str,
) -> None:
    await a_coupon(services.uow_factory, lotus.id)
    answer = await send(client, f"{HOME}/new", {"code": "AUTUMN", "percent": "10", **typed})
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert fields_of(answer)["code"] == [typed.get("code", "AUTUMN")]
    assert len(await stored(services, lotus)) == 1


async def test_an_owner_changes_it_and_switches_it_off_and_on(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    coupon = await a_coupon(services.uow_factory, lotus.id)
    here = f"{HOME}/{coupon.id}"
    await send(client, f"{here}/edit", {"percent": "25"})
    await send(client, here, {}, to=f"{here}/active")
    [after] = await stored(services, lotus)
    assert (after.percent, after.active) == (25, False)
    shown = (await client.get(here)).text
    assert "The coupon is switched off." in shown
    assert "Switch it on." in shown
    await send(client, here, {}, to=f"{here}/active")
    [after] = await stored(services, lotus)
    assert after.active


async def test_an_order_says_what_the_code_took_off_each_line(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    await a_coupon(services.uow_factory, lotus.id)
    made = await booked(
        services.uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING")
    )
    order = " ".join((await client.get(f"/app/lotus/orders/{made.order_id}")).text.split())
    assert 'taken off already <span class="pill">SPRING' in order
    assert "after €" in order.split("taken off already")[0]


async def test_only_an_unused_one_is_deleted(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    coupon = await a_coupon(services.uow_factory, lotus.id)
    here = f"{HOME}/{coupon.id}"
    open_page = await client.get(f"{here}/delete")
    assert "No order was made with it." in open_page.text
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    await client.post(f"{here}/delete", data=fields_of(open_page, f"{here}/delete"))
    assert len(await stored(services, lotus)) == 1
    assert f'href="{here}/delete"' not in (await client.get(here)).text
    assert "so it stays" in (await client.get(f"{here}/delete")).text
    spare = await a_coupon(services.uow_factory, lotus.id, "SPARE")
    await send(client, f"{HOME}/{spare.id}/delete", {})
    assert [each.code for each in await stored(services, lotus)] == ["SPRING"]


async def test_an_owner_sees_why_a_code_does_not_work_for_somebody(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    coupon = await a_coupon(services.uow_factory, lotus.id, max_per_customer=1)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    here = f"{HOME}/{coupon.id}?what=series:{term.series.id}"
    assert "Nothing stands against it" in (await client.get(here)).text
    shown = (await client.get(f"{here}&email=carl@example.com")).text
    assert "This customer has used it as often as they may." in shown


async def test_the_uses_are_taken_along_as_a_file_and_that_is_logged(
    client: AsyncClient, services: Services, lotus: Business, term: Term
) -> None:
    coupon = await a_coupon(services.uow_factory, lotus.id)
    wish = a_wish("series", term.series.id, coupon="SPRING", guest_name="=cmd()")
    made = await booked(services.uow_factory, lotus, wish)
    here = f"{HOME}/{coupon.id}"
    answer = await send(client, here, {}, to=f"{here}/export")
    order_page = await client.get(f"/app/lotus/orders/{made.order_id}")
    assert '<span class="pill">SPRING</span>' in order_page.text
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[1].split(",")[:3] == [made.reference, "'=cmd()", "carl@example.com"]
    assert "6.00,54.00,EUR" in lines[1]
    async with services.uow_factory(lotus.id) as uow:
        actions = (await uow.session.scalars(select(AuditEntry.action))).all()
    assert "coupon.exported" in actions


async def test_the_file_calls_an_order_cancelled_of_which_nothing_stands(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site")
    coupon = await a_coupon(services.uow_factory, lotus.id)
    here = f"{HOME}/{coupon.id}"
    wish = a_wish("series", term.series.id, coupon="SPRING")
    await booked(services.uow_factory, lotus, wish)
    for state in ("Confirmed", "Cancelled"):
        answer = await send(client, here, {}, to=f"{here}/export")
        assert f",{state},6.00," in answer.content.decode("utf-8-sig")
        async with services.uow_factory(lotus.id) as uow:
            confirmed = select(Seat.id).where(Seat.state == "confirmed")
            seat_ids = list(await uow.session.scalars(confirmed))
        await seats_taken_back(services.uow_factory, lotus, seat_ids, why="Agreed")


async def test_a_plan_without_coupons_shows_them_and_changes_none(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    coupon = await a_coupon(services.uow_factory, lotus.id)
    here = f"{HOME}/{coupon.id}"
    open_page = await client.get(here)
    await lose_coupons(services.uow_factory, lotus.id)
    listed = (await client.get(HOME)).text
    assert "Your coupons are paused." in listed
    assert f'href="{HOME}/new"' not in listed
    assert (await client.get(f"{here}/edit")).status_code == 402
    await send(client, here, {}, to=f"{here}/active")
    [after] = await stored(services, lotus)
    assert not after.active
    fields = fields_of(open_page, f"{here}/active")
    switched = await client.post(f"{here}/active", data={**fields, "on": "1"})
    assert switched.status_code == 402
