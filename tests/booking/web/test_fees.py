"""A fee from the mark on the roster to the money, and every way it ends before that."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from src.billing.commands.fees import forgive_fee, take_fee_on_site
from src.billing.jobs.fees import charge_due_fees
from src.billing.models import Fee, Order, Payment, PaymentPage, Refund
from src.billing.settlement import settle_page
from src.booking.commands.attendance import mark_attendance
from src.booking.commands.cancel import cancel_session
from src.booking.domain.fees import FeeRule
from src.booking.domain.kinds import SeatState
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Seat, Session
from src.platform.errors import Conflict
from src.tenants.models import AuditEntry, Due, Tenant
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, send
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(
    tiers=(Tier(before=24, percent=100),),
    late_fee=FeeRule(amount_minor=500, currency="EUR"),
    no_show_fee=FeeRule(percent=50),
)


async def a_date(shop: Shop, terms: LeavingTerms = TERMS) -> Session:
    """One place at EUR 15, to be paid on site, a week from now."""
    service = await a_service(
        shop.services.uow_factory,
        shop.business.id,
        price_type="on_site",
        leaving=terms.document(),
    )
    session = await a_session(shop.services.uow_factory, service)
    await shop.book(subject("session", session.id))
    await shop.work()
    return session


async def mark(shop: Shop, session: Session, wanted: SeatState) -> None:
    async with shop.services.uow_factory(shop.business.id) as uow:
        seat_ids = (await uow.session.scalars(select(Seat.id))).all()
        await mark_attendance(uow, shop.business.ctx, session.id, seat_ids, wanted)


async def missed(shop: Shop, clock: FrozenClock) -> Session:
    session = await a_date(shop)
    clock.at = session.starts_at + timedelta(minutes=20)
    await mark(shop, session, SeatState.NO_SHOW)
    return session


async def fees(shop: Shop) -> list[Fee]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return list(await uow.session.scalars(select(Fee).order_by(Fee.id)))


async def a_day_later(shop: Shop, clock: FrozenClock) -> None:
    clock.advance(timedelta(hours=24))
    await charge_due_fees(shop.services)
    await shop.work()


def link_in(mailer: RememberingMailer) -> str:
    [mail] = [mail for mail in mailer.sent if "A fee of" in mail.subject]
    [path] = [word for word in mail.body.split() if "/fees/" in word]
    return path[path.index("/b/") :]


async def pay(shop: Shop, path: str) -> httpx.Response:
    page = await shop.guest.open(path)
    [form] = [form for form in forms_of(page) if "/fees/" in form.action]
    return await shop.guest.client.post(form.action, data=form.fields)


async def going_to_pay(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> tuple[str, httpx.Response]:
    """Who has missed a date has followed the link in the mail, and is on the way to the payment
    page. Returns the link.
    """
    await missed(shop, clock)
    await a_day_later(shop, clock)
    path = link_in(mailer)
    return path, await pay(shop, path)


async def test_nobody_is_told_for_a_day_and_then_once_with_a_link_to_pay(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await missed(shop, clock)
    [fee] = await fees(shop)
    assert (fee.kind, fee.state, fee.amount_minor) == ("no_show", "asked", 750)
    mailer.sent.clear()
    clock.advance(timedelta(hours=23, minutes=59))
    await charge_due_fees(shop.services)
    await shop.work()
    assert mailer.sent == []
    await a_day_later(shop, clock)
    await a_day_later(shop, clock)
    [mail] = mailer.sent
    assert "€7.50" in mail.subject
    assert "You did not come, and had not cancelled." in mail.body
    page = await shop.guest.open(link_in(mailer))
    assert "A fee of €7.50" in page.text


@pytest.mark.slow
async def test_who_marks_somebody_missing_reads_that_a_fee_can_be_forgiven(
    shop: Shop, clock: FrozenClock
) -> None:
    session = await a_date(shop)
    clock.at = session.starts_at + timedelta(minutes=20)
    client, here = shop.guest.client, f"/app/lotus/sessions/{session.id}"
    await as_owner(client, shop.services, shop.business)
    said = "Asked in a day: 1 fee. Until then it can be forgiven"
    async with shop.services.uow_factory(shop.business.id) as uow:
        seat_id = str((await uow.session.scalars(select(Seat.id))).one())
    missing = {"seat_ids": seat_id, "wanted": "no_show"}
    marked = await send(client, here, missing, to=f"{here}/attendance")
    assert marked.status_code == 303, marked.text
    assert said in (await client.get(here)).text
    assert said not in (await client.get(here)).text
    await send(client, here, missing | {"wanted": "confirmed"}, to=f"{here}/attendance")
    assert said not in (await client.get(here)).text


async def test_it_is_paid_on_the_payment_page_and_the_money_is_in_the_books(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    path, sent = await going_to_pay(shop, clock, mailer)
    assert sent.status_code == 303
    assert (await pay(shop, path)).headers["location"] == sent.headers["location"], "the same page"
    await shop.pay(sent.headers["location"])
    back = await shop.guest.open(f"{path}?paid=1")
    assert "It is paid. Thank you." in back.text
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await uow.session.get_one(Order, (shop.business.id, fee.pays_id))
        assert (order.state, order.paid_minor, order.month) == ("confirmed", 750, None)
    mailer.sent.clear()
    await shop.work()
    await shop.work()
    [mail] = mailer.sent
    assert mail.subject == "Your payment of €7.50 has come"
    assert "the fee for" in mail.body
    assert path in mail.body
    again = await pay_again(shop, path)
    assert again is None, "nothing is left to press"


async def pay_again(shop: Shop, path: str) -> object | None:
    page = await shop.guest.open(path)
    return next((form for form in forms_of(page) if "/fees/" in form.action), None)


async def test_marking_again_asks_once_and_coming_after_all_takes_it_back(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    session = await missed(shop, clock)
    await mark(shop, session, SeatState.NO_SHOW)
    assert len(await fees(shop)) == 1
    await mark(shop, session, SeatState.ATTENDED)
    [fee] = await fees(shop)
    assert fee.state == "dropped"
    mailer.sent.clear()
    await a_day_later(shop, clock)
    assert mailer.sent == []
    await mark(shop, session, SeatState.NO_SHOW)
    [fee] = await fees(shop)
    assert fee.state == "asked"
    await a_day_later(shop, clock)
    assert len(mailer.sent) == 1
    await mark(shop, session, SeatState.CONFIRMED)
    await shop.work()
    assert "You need not pay the fee" in mailer.sent[-1].subject
    async with shop.services.uow_factory(None) as uow:
        assert not await uow.session.scalar(select(func.count()).where(Due.kind == "fee"))


async def test_who_did_not_come_owes_nothing_for_what_is_called_off_while_it_runs(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    session = await missed(shop, clock)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await cancel_session(uow, shop.business.ctx, session.id, reason="Ill", undo_seconds=0)
    await shop.work()
    [fee] = await fees(shop)
    assert fee.state == "dropped"
    mailer.sent.clear()
    await a_day_later(shop, clock)
    assert mailer.sent == []


async def test_staff_forgive_it_with_a_reason_and_the_log_says_so(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await missed(shop, clock)
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await forgive_fee(uow, shop.business.ctx, fee.id, "She was ill.")
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert not await forgive_fee(uow, shop.business.ctx, fee.id, "Again.")
    [fee] = await fees(shop)
    assert (fee.state, fee.why) == ("forgiven", "She was ill.")
    mailer.sent.clear()
    await a_day_later(shop, clock)
    assert mailer.sent == [], "who was never told is told nothing"
    async with shop.services.uow_factory(shop.business.id) as uow:
        log = select(func.count()).where(AuditEntry.action == "fee.forgiven")
        assert await uow.session.scalar(log) == 1


async def test_what_is_paid_after_it_was_forgiven_goes_back(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """The failure to fear: money kept for a fee that nobody asks any more."""
    path, sent = await going_to_pay(shop, clock, mailer)
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await forgive_fee(uow, shop.business.ctx, fee.id, "She was ill.")
    await shop.pay(sent.headers["location"])
    back = await shop.guest.open(f"{path}?paid=1")
    assert "You need not pay it any more." in back.text
    await shop.work()
    async with shop.services.uow_factory(shop.business.id) as uow:
        [payment] = (await uow.session.scalars(select(Payment))).all()
        [refund] = (await uow.session.scalars(select(Refund))).all()
    assert (payment.amount_minor, refund.amount_minor) == (750, 750)
    [fee] = await fees(shop)
    assert fee.state == "forgiven"


async def test_who_pays_what_was_paid_on_site_reads_that_and_what_goes_back(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    path, sent = await going_to_pay(shop, clock, mailer)
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_fee_on_site(uow, shop.business.ctx, fee.id)
    await shop.pay(sent.headers["location"])
    mailer.sent.clear()
    async with shop.services.uow_factory(shop.business.id) as uow:
        page_id = (await uow.session.scalars(select(PaymentPage.id))).one()
    await settle_page(shop.services, shop.business.id, page_id)
    back = await shop.guest.open(path)
    assert "You paid €7.50 when nothing was asked any more. It is on its way back" in back.text
    assert "It has gone back" not in back.text
    await shop.work()
    assert "The fee had been paid on site already." in mailer.sent[-1].body
    assert "cancelled" not in mailer.sent[-1].body
    back = await shop.guest.open(path)
    assert "It is paid. Thank you." in back.text
    assert "You paid €7.50 when nothing was asked any more. It has gone back" in back.text
    assert "on its way back" not in back.text
    await as_owner(shop.guest.client, shop.services, shop.business)
    seen = await shop.guest.open(f"/app/lotus/fees/{fee.id}")
    assert "€7.50 by card when nothing was asked any more. It has gone back to them." in seen.text


async def test_it_is_taken_on_site_once(shop: Shop, clock: FrozenClock) -> None:
    await missed(shop, clock)
    [fee] = await fees(shop)
    for _press in range(2):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await take_fee_on_site(uow, shop.business.ctx, fee.id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Payment.amount_minor))).all() == [750]
    [fee] = await fees(shop)
    assert fee.state == "paid"
    with pytest.raises(Conflict, match="paid already"):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await forgive_fee(uow, shop.business.ctx, fee.id, "Too late.")


async def test_without_online_payment_it_is_paid_on_site(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await missed(shop, clock)
    await a_day_later(shop, clock)
    async with shop.services.uow_factory(None) as uow:
        await uow.session.execute(update(Tenant).values(payments_ready=False))
    page = await shop.guest.open(link_in(mailer))
    assert "Please pay it on site" in page.text


async def leave(shop: Shop, session: Session, **changes: Any) -> httpx.Response:
    page = await shop.guest.open(f"{await own_page(shop)}/leave?date={session.id}")
    [form] = [form for form in forms_of(page) if "/leave" in form.action]
    return await shop.guest.client.post(form.action, data={**form.fields, **changes})


async def test_who_leaves_late_reads_of_the_fee_first_and_is_asked_for_it(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    session = await a_date(shop)
    clock.at = session.starts_at - timedelta(hours=2)
    page = await shop.guest.open(f"{await own_page(shop)}/leave?date={session.id}")
    asked = "A fee of €5.00 is asked for cancelling late."
    assert asked in page.text
    assert (await leave(shop, session)).status_code == 303
    [fee] = await fees(shop)
    assert (fee.kind, fee.amount_minor) == ("late_cancel", 500)
    mailer.sent.clear()
    await shop.work()
    [mail] = mailer.sent
    assert f"{asked} A day later, a mail follows with a link to pay it." in " ".join(
        mail.body.split()
    )
    own = await own_page(shop)
    assert f"{asked} A day later, a mail follows" in (await shop.guest.open(own)).text
    await a_day_later(shop, clock)
    page = await shop.guest.open(own)
    assert f"{asked} You have a mail with a link" in page.text
    assert link_in(mailer) in page.text


async def test_who_did_not_come_finds_the_fee_on_all_own_pages_once_told_and_when_paid(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await missed(shop, clock)
    own, me = await own_page(shop), ("/b/lotus/me", "/b/lotus/me/receipts")
    assert "Not attended" not in (await shop.guest.open(own)).text, "it may be a slip of the hand"
    [fee] = await fees(shop)
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, fee.customer_id)
    for path in (own, *me):
        shown = (await shop.guest.open(path)).text
        assert "fee of" not in shown, "it may still be forgiven"
        assert "Not attended" not in shown
    await a_day_later(shop, clock)
    path = link_in(mailer)
    page = await shop.guest.open(own)
    assert "A fee of €7.50 is asked for not coming. You have a mail with a link" in page.text
    assert path in page.text
    assert "Not attended" in page.text
    assert "Not attended" in (await shop.guest.open("/b/lotus/me")).text
    for mine in me:
        page = await shop.guest.open(mine)
        assert "Fees to pay" in page.text
        assert "You did not come, and had not cancelled." in page.text
        assert path in page.text
    await shop.pay((await pay(shop, path)).headers["location"])
    await shop.guest.open(f"{path}?paid=1")
    assert "The fee of €7.50 for not coming is paid." in (await shop.guest.open(own)).text
    for mine in me:
        assert "Fees to pay" not in (await shop.guest.open(mine)).text


async def test_who_knows_of_a_fee_for_leaving_late_hears_that_it_is_forgiven(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    session = await a_date(shop)
    clock.at = session.starts_at - timedelta(hours=2)
    await leave(shop, session)
    await shop.work()
    mailer.sent.clear()
    [fee] = await fees(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await forgive_fee(uow, shop.business.ctx, fee.id, "Ill.")
    await shop.work()
    [mail] = mailer.sent
    assert "You need not pay the fee" in mail.subject
    assert "A fee of" not in (await shop.guest.open(await own_page(shop))).text


async def test_who_books_after_the_last_step_reads_that_the_fee_is_asked_at_once(
    shop: Shop, clock: FrozenClock
) -> None:
    session = await a_date(shop)
    clock.at = session.starts_at - timedelta(hours=1)
    form = await shop.guest.open(subject("session", session.id))
    assert "Who cancels now is asked for a fee of €5.00 as well as the price." in form.text
    assert "later than that" not in form.text


async def test_a_deadline_that_passes_while_the_page_is_open_asks_again(
    shop: Shop, clock: FrozenClock
) -> None:
    session = await a_date(shop)
    clock.at = session.starts_at - timedelta(hours=2)
    refused = await leave(shop, session, fee="0")
    assert refused.status_code == 409
    assert "By now a fee is asked." in refused.text
    assert await fees(shop) == []
    clock.at = session.starts_at - timedelta(hours=25)
    assert (await leave(shop, session)).status_code == 303
    assert await fees(shop) == []


async def test_guests_read_of_it_before_they_book(shop: Shop) -> None:
    session = await a_date(shop)
    form = await shop.guest.open(subject("session", session.id))
    assert "asked for a fee of €5.00" in form.text
    assert "asked for a fee of 50% of the price" in form.text
