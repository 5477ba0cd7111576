"""Bank transfers on the pages: a guest chooses one, staff match the money."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.models import Order
from src.billing.settlement import give_up_order, released_by
from src.platform.localtime import to_local
from src.platform.mail.models import MailRow
from tests.booking.commands.test_transfers import items, receive, takes_transfers, to_the_end
from tests.booking.web.conftest import Shop, subject
from tests.support.builders import a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.coupons import a_coupon
from tests.support.visitor import forms_of
from tests.support.vouchers import CODE, a_voucher, on_it
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def booked(shop: Shop, *, in_days: float = 14, **typed: str) -> tuple[Response, Order]:
    """What the guest sees who has chosen a transfer, and the order."""
    await takes_transfers(shop.services, shop.business)
    service = await a_service(shop.services.uow_factory, shop.business.id)
    session = await a_session(shop.services.uow_factory, service, in_days=in_days)
    await shop.guest.open(subject("session", session.id))
    sent = await shop.send(way="transfer", **typed)
    assert sent.status_code == 303, sent.text
    page = await shop.guest.open(sent.headers["location"])
    async with shop.services.uow_factory(shop.business.id) as uow:
        return page, (await uow.session.scalars(select(Order))).one()


async def submit(client: AsyncClient, page: Response, ending: str, **typed: Any) -> Response:
    form = next(one for one in forms_of(page) if one.action.endswith(ending))
    return await client.post(form.action, data=form.filled(typed))


def proposed(page: Response) -> str:
    """The amount that stands in the form for what has come."""
    form = next(one for one in forms_of(page) if one.action.endswith("/received"))
    [amount] = form.filled({})["amount"]
    return str(amount)


async def test_a_guest_reads_how_to_pay_and_may_give_it_up(shop: Shop) -> None:
    page, order = await booked(shop)
    for words in ("We wait for your transfer", "DE89 3704 0044 0532 0130 00", order.reference):
        assert words in page.text
    assert "<svg" in page.text
    for words in ("free for others at once, and you have nothing to pay", "Give it up"):
        assert words in page.text, "what it does is said before it is done"
    await submit(shop.guest.client, page, "/give-up")
    shown = await shop.guest.client.get(str(page.url))
    assert "You gave the place up" in shown.text
    assert "voucher" not in shown.text
    await shop.work()
    *_before, mail = await told(shop)
    assert (mail.kind, mail.to_address) == ("billing.transfer_over", "carl@example.com")
    for text in (mail.text, mail.html):
        assert "you have given this up, so your transfer is not waited for any more:" in text
        assert "If it is on its way, the business sends it back to you." in text
        assert "tells you whether there is still room" not in text


async def told(shop: Shop) -> list[MailRow]:
    """In the order of the events that they are about."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        return list(await uow.session.scalars(select(MailRow).order_by(MailRow.id)))


async def test_who_gives_up_what_a_voucher_was_to_pay_in_part_reads_where_that_is(
    shop: Shop,
) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=1000)
    page, order = await booked(shop, coupon=CODE, quoted_minor="500", quoted_off_minor="1000")
    assert "€10.00 goes back to the voucher you used." in page.text
    await submit(shop.guest.client, page, "/give-up")
    shown = (await shop.guest.client.get(str(page.url))).text
    assert "€10.00 is on the voucher again that you used." in shown
    assert "Back on the voucher" in shown
    assert "Of it by voucher" not in shown
    assert await on_it(shop.services.uow_factory, shop.business.id) == 1000
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    owners = (await shop.guest.client.get(f"/app/lotus/orders/{order.id}")).text
    assert "Back on the voucher" in owners
    assert "A voucher pays" not in owners


async def test_who_gives_up_what_a_part_came_for_reads_that_it_goes_back(shop: Shop) -> None:
    page, order = await booked(shop)
    assert "sends back" not in page.text
    await receive(shop.services, shop.business, order.id, 700)
    page = await shop.guest.open(str(page.url.path))
    assert "The business sends back the €7.00 that came." in page.text
    await submit(shop.guest.client, page, "/give-up")
    await shop.work()
    [mail] = [one for one in await told(shop) if one.kind == "billing.transfer_over"]
    assert "€7.00 of it had come; the business sends that back to you." in mail.text


async def test_a_voucher_that_pays_a_part_is_told_beside_the_price(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=1000)
    _page, order = await booked(shop, coupon=CODE, quoted_minor="500", quoted_off_minor="1000")
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    page = (await shop.guest.client.get(f"/app/lotus/orders/{order.id}/transfer")).text
    shown = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Price €15.00 A voucher pays €10.00 To be transferred €5.00" in shown


async def test_orders_are_found_by_bank_transfer_and_by_voucher(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=1000)
    _page, order = await booked(shop, coupon=CODE, quoted_minor="500", quoted_off_minor="1000")
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    for way, found in (("transfer", True), ("voucher", True), ("on_site", False)):
        page = (await shop.guest.client.get(f"/app/lotus/orders?paid={way}")).text
        assert (order.reference in page) is found, way
        assert f'<option value="{way}" selected>' in page


async def test_a_form_that_is_changed_says_nothing_of_giving_up(shop: Shop) -> None:
    """The mail about what is asked for instead is enough."""
    await takes_transfers(shop.services, shop.business)
    service = await a_service(shop.services.uow_factory, shop.business.id)
    session = await a_session(shop.services.uow_factory, service, in_days=14)
    await shop.guest.open(subject("session", session.id))
    for changed in ({}, {"party_size": "2"}):
        assert (await shop.send(way="transfer", **changed)).status_code == 303
    await shop.work()
    assert [mail.kind for mail in await told(shop)] == ["billing.transfer_awaited"]


@pytest.mark.parametrize("end", ["given up", "released", "over"])
async def test_a_part_that_came_goes_back_and_the_page_says_so(
    shop: Shop, clock: FrozenClock, end: str
) -> None:
    page, order = await booked(shop)
    await receive(shop.services, shop.business, order.id, 500)
    if end == "given up":
        await submit(shop.guest.client, page, "/give-up")
        said = "You gave the place up"
    elif end == "released":
        ending = released_by(shop.business.ctx)
        await give_up_order(shop.services, shop.business.id, order.id, ending)
        said = "This booking is cancelled"
    else:
        await to_the_end(shop.services, clock, order)
        said = "Only a part of the price has come, so the place is free again."
    shown = (await shop.guest.client.get(str(page.url))).text
    assert said in shown
    assert "did not fit" not in shown
    assert "The business gives €5.00 back to you." in shown
    [item] = await items(shop.services, shop.business)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await close_item_by_hand(uow, shop.business.ctx, order.id, item.id)
    shown = (await shop.guest.client.get(str(page.url))).text
    assert said in shown
    assert "The business has given €5.00 back to you." in shown


async def test_the_way_is_offered_where_there_is_time_for_it(shop: Shop) -> None:
    await takes_transfers(shop.services, shop.business)
    service = await a_service(shop.services.uow_factory, shop.business.id)
    soon = await a_session(shop.services.uow_factory, service, in_days=2)
    later = await a_session(shop.services.uow_factory, service, in_days=20)
    page = await shop.guest.open(subject("session", later.id))
    assert "By bank transfer" in page.text
    page = await shop.guest.open(subject("session", soon.id))
    assert "By bank transfer" not in page.text
    sent = await shop.send(way="transfer")
    assert sent.status_code == 422
    assert "This cannot be paid that way" in sent.text


@pytest.mark.slow
async def test_staff_match_the_money_on_the_orders_page(shop: Shop) -> None:
    page, order = await booked(shop)
    mine = str(page.url)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    today = await client.get("/app/lotus/today")
    assert "1 bank transfer is waited for" in today.text
    listed = await client.get("/app/lotus/orders?state=transfer")
    assert order.reference in listed.text
    assert "counts as paid when it is spent, not when it is sold" in listed.text
    here = f"/app/lotus/orders/{order.id}/transfer"
    assert here in (await client.get(f"/app/lotus/orders/{order.id}")).text
    shown = await client.get(here)
    refused = await submit(client, shown, "/received", amount="much")
    assert refused.status_code == 422
    assert 'value="much"' in refused.text
    part = await submit(client, shown, "/received", amount="5")
    assert "€10.00 is still missing" in (await client.get(part.headers["location"])).text
    assert "€10.00" in (await client.get(mine)).text
    rest = await client.get(here)
    done = await submit(client, rest, "/received")
    assert "the order is confirmed" in (await client.get(done.headers["location"])).text
    assert "You are booked" in (await client.get(mine)).text
    assert (await client.get(here)).status_code == 200


async def test_a_stale_tab_notes_nothing_before_it_was_read(shop: Shop) -> None:
    """The same transfer noted in two tabs: the second is told, keeps what was typed, and can then
    be sent as another one.
    """
    _page, order = await booked(shop)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}/transfer"
    first, stale = await client.get(here), await client.get(here)
    await submit(client, first, "/received", amount="10")
    refused = await submit(client, stale, "/received", amount="9")
    assert refused.status_code == 422
    assert "€10.00 was noted since you opened this page" in refused.text
    assert 'value="9"' in refused.text
    assert "€5.00" in refused.text
    done = await submit(client, refused, "/received")
    assert "€4.00 is too much" in (await client.get(done.headers["location"])).text


async def test_money_for_an_order_that_is_paid_says_that_it_stands(shop: Shop) -> None:
    _page, order = await booked(shop)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}/transfer"
    awaited = await client.get(here)
    assert proposed(awaited) == "15.00"
    await submit(client, awaited, "/received")
    paid = await client.get(here)
    assert proposed(paid) == "", "nothing is waited for, and one press would note what never came"
    nothing = await submit(client, paid, "/received")
    assert nothing.status_code == 422
    done = await submit(client, paid, "/received", amount="9")
    said = (await client.get(done.headers["location"])).text
    assert "The order was paid already. Please send back €9.00." in said
    assert "Nothing can be had with it any more" not in said


async def test_what_somebody_ended_says_why_its_money_goes_back(shop: Shop) -> None:
    _page, order = await booked(shop)
    await give_up_order(shop.services, shop.business.id, order.id)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}"
    why = "The guest has given it up."
    assert f"{why} What comes now goes back by hand." in (await client.get(here)).text
    form = await client.get(f"{here}/transfer")
    assert f"{why} So nothing can be had with the money any more" in form.text
    assert proposed(form) == ""
    done = await submit(client, form, "/received", amount="15")
    said = (await client.get(done.headers["location"])).text
    assert f"Nothing can be had with it any more. {why} Please send back €15.00." in said


async def test_a_transfer_that_never_came_is_taken_off_with_a_reason(shop: Shop) -> None:
    page, order = await booked(shop)
    mine = str(page.url)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}/transfer"
    await submit(client, await client.get(here), "/received", amount="15")
    form = await client.get(here)
    await submit(client, form, "/received", amount="9")
    assert "€24.00" in (await client.get(mine)).text
    shown = await client.get(f"/app/lotus/orders/{order.id}")
    assert f"{here}/mistake" in shown.text
    asked = await client.get(f"{here}/mistake")
    assert "€9.00" in asked.text
    refused = await submit(client, asked, "/mistake")
    assert refused.status_code == 422
    assert "Say how it came about" in refused.text
    done = await submit(client, refused, "/mistake", reason="A slip of the fingers")
    after = await client.get(done.headers["location"])
    assert "€9.00 is taken off" in after.text
    assert "A slip of the fingers" in after.text
    assert "I have given it back" not in after.text
    assert "€24.00" not in (await client.get(mine)).text
    again = await client.get(f"{here}/mistake")
    assert again.headers["location"] == f"/app/lotus/orders/{order.id}"
    resent = await submit(client, form, "/received", amount="9")
    told = await client.get(resent.headers["location"])
    assert "Nothing was noted now" in told.text
    assert "€9.00 came by bank transfer" not in told.text


async def test_staff_wait_longer_or_no_longer(shop: Shop) -> None:
    _page, order = await booked(shop)
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}/transfer"
    starts_on = to_local(order.created_at, shop.business.tenant.zone).date() + timedelta(days=14)
    shown = await client.get(here)
    refused = await submit(client, shown, "/due", due_on=starts_on.isoformat())
    assert refused.status_code == 422
    assert "before the first date" in refused.text
    day = (starts_on - timedelta(days=1)).isoformat()
    assert (await submit(client, shown, "/due", due_on=day)).status_code == 303
    await submit(client, shown, "/release")
    shown = await client.get(here)
    assert "It was released by the business. So nothing can be had" in shown.text
    assert "if there is still room" not in shown.text, "nobody looks for any"
    assert "does not wait for your transfer any more" in await last_mail(shop)


async def test_what_came_after_all_and_went_back_is_not_asked_for_again(shop: Shop) -> None:
    """A part of it leaves the rest to come."""
    page, order = await booked(shop)
    await submit(shop.guest.client, page, "/give-up")
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}"
    for amount, is_offered in (("6", True), ("9", False)):
        assert "It came after all" in (await client.get(here)).text
        await submit(client, await client.get(f"{here}/transfer"), "/received", amount=amount)
        page = (await client.get(here)).text
        assert ("It came after all" in page) is is_offered
        assert ("Another transfer came" in page) is not is_offered
    while "I have given it back" in (shown := await client.get(here)).text:
        await submit(client, shown, "/close")
        assert "given back." in (await client.get(here)).text
    assert "It came after all" not in shown.text


async def last_mail(shop: Shop) -> str:
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(MailRow).order_by(MailRow.id.desc()).limit(1))
        return found.one().text


async def test_a_second_transfer_of_a_paid_order_is_noted_from_its_page(shop: Shop) -> None:
    _page, order = await booked(shop)
    here = f"/app/lotus/orders/{order.id}"
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    assert "Another transfer came" not in (await shop.guest.client.get(here)).text
    await receive(shop.services, shop.business, order.id)
    page = (await shop.guest.client.get(here)).text
    [link] = [one for one in re.findall(r'href="([^"]+)">([^<]*)<', page) if "Another" in one[1]]
    assert link == (f"{here}/transfer", "Another transfer came")
    assert "What comes now comes twice" in (await shop.guest.client.get(link[0])).text
    assert "This money never came" not in page, "as long as what it pays for stands"
    assert "cancel all that was booked, give nothing back" in page


async def test_the_mails_say_what_a_voucher_pays_and_that_it_is_whole_again(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=1000)
    page, _order = await booked(shop, coupon=CODE, quoted_minor="500", quoted_off_minor="1000")
    await shop.work()
    [mail] = await told(shop)
    for text in (mail.text, mail.html):
        assert "Price: €15.00 · A voucher pays: €10.00" in text
        assert "on the voucher again" not in text
    await submit(shop.guest.client, page, "/give-up")
    await shop.work()
    *_before, mail = await told(shop)
    for text in (mail.text, mail.html):
        assert "€10.00 is on the voucher again that you used." in text


async def test_the_mail_says_what_a_coupon_has_taken_off(shop: Shop) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    await booked(shop, coupon="SPRING", quoted_minor="1350", quoted_off_minor="150")
    await shop.work()
    [mail] = await told(shop)
    for text in (mail.text, mail.html):
        assert "Discount, taken off already: €1.50 (SPRING)" in text
        assert "A voucher pays" not in text
