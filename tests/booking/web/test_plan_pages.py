"""Packages in parts on the pages of guest, owner and desk."""

import re
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.models import CreditLot, Instalment, Order, Package
from src.billing.settlement import check_payment
from src.booking.guest_links import package_path
from src.platform.mail.queue import MailRow
from src.platform.services import Services
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.pages import as_owner, send
from tests.booking.web.test_cards import carl, form_to
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.plans import (
    CARL,
    DECLINED_LATER,
    a_plan_package,
    begin_plan,
    buy_in_parts,
    on_day,
    pages_of,
    parts_of,
    states,
    the_order,
)

pytestmark = pytest.mark.anyio

TYPED = {"name": "Ten sessions", "credits": "10", "price": "120", "pays": ["online"]}
ANY = {"any_service": "on"}


async def the_package(services: Services, business: Business) -> Package:
    async with services.uow_factory(business.id) as uow:
        return (await uow.session.scalars(select(Package))).one()


async def test_an_owner_offers_parts_and_sees_them(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    form = (await client.get("/app/lotus/packages/new")).text
    assert "May also be paid in" in form
    typed = {**TYPED, **ANY, "parts": "4", "parts_every": "2", "parts_unit": "week"}
    answer = await send(client, "/app/lotus/packages/new", typed)
    package = await the_package(services, lotus)
    assert (package.parts, package.parts_every, package.parts_unit) == (4, 2, "week")
    shown = (await client.get(answer.headers["location"])).text
    assert "4 parts, every 2 weeks" in shown
    here = f"/app/lotus/packages/{package.id}/edit"
    assert "end before the last part" not in shown
    await send(client, here, {**typed, "validity_days": "30"})
    shown = (await client.get(answer.headers["location"])).text
    assert "The credits end before the last part is charged." in shown
    assert (await send(client, here, {"parts": ""})).status_code == 303
    assert (await the_package(services, lotus)).parts == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parts": "1"}, "Choose a number from 2 to 24, or leave it empty."),
        ({"parts": "25"}, "Choose a number from 2 to 24, or leave it empty."),
        ({"parts": "-2"}, "Choose a number from 2 to 24, or leave it empty."),
        ({"parts": "4", "parts_every": "0"}, "Choose a number above 0."),
        (
            {"parts": "4", "parts_every": "12"},
            "The last part may fall due two years after the first at most.",
        ),
        ({"parts": "4", "price": "1.50"}, "A part has to be €0.50 at least"),
        ({"parts": "4", "price": "0"}, "Only what has a price and is paid online"),
        ({"parts": "4", "pays": ["on_site"]}, "Only what has a price and is paid online"),
        ({"parts": "4", "parts_unit": "day"}, ""),
        ({"parts": "99999999999999999999"}, ""),
    ],
)
async def test_parts_that_cannot_be_are_refused_at_their_field(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    changes: dict[str, Any],
    said: str,
) -> None:
    answer = await send(client, "/app/lotus/packages/new", {**TYPED, **ANY, **changes})
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{changes["parts"]}"' in answer.text, "what was typed is kept"
    async with services.uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(Package))).all() == []


async def test_a_guest_sees_every_day_and_amount_before_paying(shop: Shop) -> None:
    package = await a_plan_package(shop)
    await carl(shop)
    form = await shop.guest.open(f"/b/lotus/packages/{package.id}")
    for words in ("In 4 parts, €30.00 now", "every month", "Today", "By choosing this you agree"):
        assert words in form.text
    assert form.text.count("€30.00") == 5
    sent = await shop.send(step="update", way="parts", coupon="")
    assert chosen_way(sent.text) == ["parts"], "it stays chosen"
    sent = await shop.send(step="buy", way="parts")
    assert sent.status_code == 303
    await shop.pay(sent.headers["location"])
    await shop.work()
    (order,) = await rows(shop, Order)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order) + "?paid=1")
    await shop.work()
    assert "10 sessions are yours" in page.text
    assert "Your card is charged by itself" in page.text, "before a job has asked which it is"
    assert "Paid in parts" in page.text
    assert page.text.count("To come") == 3
    assert "Pay all that is left, €90.00" in page.text
    assert await states(shop) == ["paid", "due", "due", "due"]


def chosen_way(html: str) -> list[str]:
    """In the form that buys."""
    return re.findall(r'name="way"\s+value="(\w+)"\s+checked', html)


async def test_other_days_or_amounts_than_were_shown_buy_nothing(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_plan_package(shop)
    await carl(shop)
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    for quoted in ("2027-01-01:3000", "x"):
        sent = await shop.send(step="buy", way="parts", quoted_parts=quoted)
        assert sent.status_code == 409
        assert "The parts have just changed" in sent.text
    too_long = await shop.send(step="buy", way="parts", quoted_parts="x" * 5000)
    assert too_long.status_code == 422
    assert await rows(shop, Order) == []


async def test_what_offers_no_parts_sells_none(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await carl(shop)
    form = await shop.guest.open(f"/b/lotus/packages/{package.id}")
    assert 'value="parts"' not in form.text
    sent = await shop.send(step="buy", way="parts")
    assert sent.status_code == 422
    assert "This cannot be paid in parts" in sent.text


async def test_the_whole_can_still_be_paid_at_once(shop: Shop) -> None:
    package = await a_plan_package(shop)
    await carl(shop)
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    sent = await shop.send(step="buy", way="online")
    await shop.pay(sent.headers["location"])
    (order,) = await rows(shop, Order)
    await check_payment(shop.services, shop.business.id, order.id)
    (order,) = await rows(shop, Order)
    assert (order.paid_minor, order.later_minor) == (12_000, 0)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "Paid in parts" not in page.text


async def test_the_desk_sees_the_parts_and_acts(shop: Shop, clock: FrozenClock) -> None:
    order = await buy_in_parts(shop, DECLINED_LATER)
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    second, third = (await parts_of(shop))[1:3]
    await on_day(shop, clock, second.due_on)
    await as_owner(client, shop.services, shop.business)
    here = f"/app/lotus/orders/{order.id}"
    shown = (await client.get(here)).text
    for words in ("Paid in parts", "1 of 4", "Tried again", "it is charged again on", "Let go"):
        assert words in shown
    for _press in range(2):
        answer = await send(client, here, {}, to=f"{here}/parts/{second.id}/paid")
        assert answer.headers["location"] == here
    assert await states(shop) == ["paid", "paid", "due", "due"]
    waive = f"{here}/parts/{third.id}/waive"
    assert "is not charged and not asked any more" in (await client.get(waive)).text
    refused = await send(client, waive, {"reason": " "})
    assert refused.status_code == 422
    assert "Please say why" in refused.text
    too_long = await send(client, waive, {"reason": "y" * 600})
    assert too_long.status_code == 422
    assert "y" * 600 in too_long.text
    await send(client, waive, {"reason": "Was ill"})
    assert await states(shop) == ["paid", "paid", "waived", "due"]
    shown = (await client.get(here)).text
    for words in ("Need not be paid", "Was ill", "Took a part on site", "Let the guest off a part"):
        assert words in shown
    assert "not asked any more" in (await client.get(waive)).text
    strange = f"{here}/parts/{order.id}/waive"
    assert (await client.get(strange)).status_code == 404


async def test_what_ends_the_rest_says_so_before(shop: Shop) -> None:
    """Money for the unused credits, and erasing the guest, who is charged nothing afterwards."""
    order = await buy_in_parts(shop)
    client = shop.guest.client
    await as_owner(client, shop.services, shop.business)
    (lot,) = await rows(shop, CreditLot)
    shown = (await client.get(f"/app/lotus/credits/{lot.id}/refund")).text
    assert "The €90.00 that are still to be paid in parts are not asked any more." in shown
    here = f"/app/lotus/customers/{order.customer_id}/erase"
    assert "€90.00, which they were to pay in parts" in (await client.get(here)).text
    answer = await send(client, here, {"typed": CARL})
    assert answer.status_code == 303, answer.text
    assert await states(shop) == ["paid", "void", "void", "void"]
    assert {part.card_id for part in await parts_of(shop)} == {None}


async def test_who_removes_a_card_reads_what_it_was_to_pay(shop: Shop) -> None:
    await carl(shop)
    await buy_in_parts(shop)
    page = await shop.guest.open("/b/lotus/me/cards")
    assert "€90.00 is still charged to it in parts." in page.text
    assert "The €90.00 that you pay in parts are then for you to pay on their days" in page.text
    _first, second, *_more = await parts_of(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        part = await uow.session.get_one(Instalment, (uow.tenant, second.id))
        part.state = "waived"
    page = await shop.guest.open("/b/lotus/me/cards")
    assert "€60.00 is still charged to it in parts." in page.text


async def test_the_mail_about_the_card_says_what_is_charged_to_it(shop: Shop) -> None:
    await buy_in_parts(shop)
    (mail,) = [one for one in await rows(shop, MailRow) if one.kind == "billing.card_kept"]
    for body in (mail.text, mail.html):
        assert "The parts that you agreed to pay are charged to it on their days" in body
        assert "It is charged only when" not in body


def pressed(shop: Shop) -> dict[str, str]:
    return {"_csrf_token": form_to(shop, "/pay").fields["_csrf_token"][0]}


async def test_another_with_the_link_pays_only_once_they_are_the_buyer(shop: Shop) -> None:
    """Or the parts would be charged to a card of somebody who agreed to nothing."""
    package = await a_plan_package(shop)
    await begin_plan(shop, package.id)
    order = await the_order(shop)
    path = package_path(shop.services.settings, "lotus", order)
    held = await shop.guest.open(path)
    assert "On the days above each part is charged to it" in held.text
    for who in ("", "mother@example.com"):
        if who:
            await carl(shop, who)
        held = await shop.guest.open(path)
        answer = await shop.guest.client.post(f"{path}/pay", data=pressed(shop))
        assert answer.headers["location"].startswith("/b/lotus/me/sign-in?next=/b/lotus/packages/")
    assert len(await pages_of(shop)) == 1
    await carl(shop)
    await shop.guest.open(path)
    answer = await shop.guest.client.post(f"{path}/pay", data=pressed(shop))
    assert "/c/pay/" in answer.headers["location"]
