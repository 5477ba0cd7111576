"""Booking a session or a whole series: all seats of an order, or none.

What is ours alone is written first; sessions and the month's counter, which others wait for, are
claimed last, and nothing happens between the last claim and the commit.
Source: docs/algorithms/seats.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from src.billing.commands.coupon_claims import claim_coupon
from src.billing.commands.credits import Author, claim_credits, insert_redemptions
from src.billing.commands.orders import NewOrder, insert_order
from src.billing.commands.voucher_claims import claim_voucher
from src.billing.domain.holds import HOLD_LIFETIME, link_lifetime
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order
from src.booking.commands.agreement_signing import find_to_sign, insert_signatures
from src.booking.commands.book_checks import (
    answer_columns,
    check_answers,
    check_code,
    check_dates,
    check_pays,
    check_price,
    check_reasons,
    check_staff,
    check_tiers,
    check_way,
    find_wanted_lot,
    lines_of,
)
from src.booking.commands.book_command import BookCommand
from src.booking.commands.book_rows import insert_booking, insert_seats, note_staff
from src.booking.commands.busy import free_performer
from src.booking.commands.own_places import refuse_twice
from src.booking.commands.slots import open_slot
from src.booking.commands.waitlist_admits import is_offered_to
from src.booking.commands.waitlist_take import check_party, claim_quoted, held_by_offer
from src.booking.domain.agreements import Needed
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import By
from src.booking.domain.quotes import Quote
from src.booking.domain.service_rules import LARGEST_ORDER_MINOR
from src.booking.models import Service
from src.booking.queries.comers import comers_for
from src.booking.queries.completing import lock_completing
from src.booking.queries.coupons import priced_with_coupon
from src.booking.queries.decide import Asked, Decided, decide
from src.booking.queries.offer_facts import business_facts
from src.booking.queries.offers import count_as_free, count_held_seats
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import month_key
from src.tenants.commands.counters import claim_booking_unit
from src.tenants.commands.customers import find_or_add_customer, keep_customer, place_party
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.queries.tenants import tenant_snapshot

__all__ = ["BookCommand", "Booked", "ask_quote", "book"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What came of it; with `needs_payment` the seats are held until the guest has paid."""

    order: Order
    booking_id: UUID

    @property
    def order_id(self) -> UUID:
        return self.order.id

    @property
    def reference(self) -> str:
        return self.order.reference

    @property
    def total_minor(self) -> int:
        return self.order.total_minor

    @property
    def needs_payment(self) -> bool:
        return self.order.state == OrderState.OPEN


async def book(uow: UnitOfWork, ctx: RequestContext, cmd: BookCommand) -> Booked:
    """Takes the seats and writes order, booking and seats; free and on-site orders are confirmed.
    A coupon is judged now and honoured for as long as the hold lasts.

    Raises: NotFound, NotBookable, PlanLimitReached, InvalidInput, NotAgreed, DatesChanged,
    PriceChanged, SeatsGone, CreditsGone, and for staff NotAllowed; nothing is written then.
    """
    now, cmd = uow.clock.now(), cmd.tidied()
    if cmd.pays is not None:
        check_staff(ctx, cmd.pays, cmd.guest_email)
    tenant = await tenant_snapshot(uow, ctx.here.id, now)
    judged = await _judge(uow, tenant, await _with_session(uow, tenant, cmd), now)
    quote = judged.quote
    await refuse_twice(uow, cmd, quote.session_ids)
    booked = await _write(uow, ctx, tenant, cmd, judged, now)
    if cmd.pays is not None:
        await note_staff(uow, ctx, booked.order, booked.booking_id, quote)
    await uow.settle()
    await claim_quoted(uow, quote, booked.order.id, earliest=judged.earliest, offer_id=cmd.offer_id)
    if quote.coupon is not None:
        await claim_coupon(uow, quote.coupon.coupon_id, booked.order.customer_id)
    if quote.credits is not None:
        # They have to be valid when the last of the dates starts.
        until, customer_id = max(now, judged.last_starts_at), booked.order.customer_id
        taken = Counter(quote.credits.lots_of_seats(quote.credits_needed))
        for lot_id, count in sorted(taken.items()):
            await claim_credits(
                uow, lot_id, customer_id, count, needed_until=until, users=quote.credits.users
            )
    if quote.voucher is not None:
        await claim_voucher(uow, quote.voucher)
    if booked.order.month is not None:
        await claim_booking_unit(uow, tenant, now)
    return booked


async def _with_session(uow: UnitOfWork, tenant: TenantSnapshot, cmd: BookCommand) -> BookCommand:
    """The same for the session that an appointment's time becomes."""
    if cmd.slot is None:
        return cmd
    session_id = await open_slot(
        uow, tenant, cmd.subject_id, cmd.slot, len(cmd.party), by_staff=cmd.pays is not None
    )
    return msgspec.structs.replace(cmd, subject_id=session_id)


async def ask_quote(
    uow: UnitOfWork, ctx: RequestContext, cmd: BookCommand, *, instead_of: UUID | None = None
) -> Quote:
    """What would be sold for the wish now, judged as if what the order `instead_of` holds, its code
    too, were free; changes nothing. Raises: what `book` raises before it claims anything.
    """
    now, cmd = uow.clock.now(), cmd.tidied()
    if cmd.pays is not None:
        check_staff(ctx, cmd.pays, cmd.guest_email)
    tenant = await tenant_snapshot(uow, ctx.here.id, now)
    with suppress(_JustAsking):
        async with uow.attempt():
            if cmd.slot is not None and instead_of is not None:
                await free_performer(uow, await count_held_seats(uow, instead_of))
            cmd = await _with_session(uow, tenant, cmd)
            judged = await _judge(uow, tenant, cmd, now, instead_of=instead_of)
            await refuse_twice(uow, cmd, judged.quote.session_ids, instead_of=instead_of)
            raise _JustAsking
    return judged.quote


class _JustAsking(Exception):
    """Takes back what was done to find out."""


class _Judged(NamedTuple):
    """What is to be sold, of which service, the earliest start that may still be, and when the
    first and the last date start. For a booking that completes another `people` are those of its
    participants who come, and `said` is what was said with it. `to_sign` are the agreements that
    are signed with it.
    """

    quote: Quote
    service: Service
    earliest: datetime
    starts_at: datetime
    last_starts_at: datetime
    people: list[UUID] | None = None
    said: dict[str, Any] | None = None
    to_sign: Sequence[Needed] = ()


async def _judge(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    cmd: BookCommand,
    now: datetime,
    *,
    instead_of: UUID | None = None,
) -> _Judged:
    """All that can stand against the wish; what an offer or a replaced order holds is free."""
    held = await held_by_offer(uow, cmd.offer_id)
    if instead_of is not None:
        held = await count_held_seats(uow, instead_of)
    if cmd.completes is not None:
        return await _judge_completing(uow, tenant, cmd, cmd.completes, now, held)
    lot = await find_wanted_lot(uow, cmd.customer_id, cmd.credit_lot_id, is_wanted=cmd.is_by_credit)
    asked = Asked(
        kind=cmd.kind,
        subject_id=cmd.subject_id,
        size=len(cmd.party),
        way=PayWay.TRANSFER if cmd.pays == "transfer" else cmd.way,
        tiers=cmd.tiers,
        pays=cmd.pays,
        lot=lot,
        party=await comers_for(uow, lot, cmd.customer_id, cmd.guest_name, cmd.party),
        opens_slot=cmd.slot is not None,
        customer_id=cmd.customer_id,
        is_offered=await is_offered_to(uow, cmd.offer_id),
    )
    decided = await decide(uow, tenant, business_facts(tenant), asked, now, held)
    by_staff = cmd.pays is not None
    check_reasons(tenant, decided.reasons, by_staff=by_staff)
    check_tiers(decided.tiers_error)
    if by_staff:
        check_pays(decided.quote, cmd.pays)
    else:
        check_answers(decided.service, cmd.answers, cmd.people, len(cmd.party))
        check_way(decided.quote, cmd.way)
    quote = decided.quote
    check_code(quote, cmd.coupon, cmd.pays)
    if quote.total_minor > LARGEST_ORDER_MINOR:
        raise InvalidInput(_("This is too much for one booking. Choose fewer people."), fields={})
    check_dates(cmd.quoted_dates, quote)
    quote = await priced_with_coupon(
        uow, tenant, quote, cmd.coupon, cmd.guest_email, cmd.quoted_minor, without_order=instead_of
    )
    check_price(tenant, cmd.quoted_minor, cmd.locale, quote, cmd.quoted_off_minor)
    to_sign = await _agreed(uow, cmd, decided)
    notice = 0 if by_staff else decided.service.min_notice_minutes
    starts = [run.starts_at for run in decided.runs if run.id in quote.session_ids]
    earliest = now + timedelta(minutes=notice)
    judged = _Judged(quote, decided.service, earliest, min(starts), max(starts))
    return judged._replace(to_sign=to_sign)


async def _agreed(uow: UnitOfWork, cmd: BookCommand, decided: Decided) -> Sequence[Needed]:
    """What is signed with it: a date of a series asks for what the series does too. Whom staff book
    for is asked afterwards.
    """
    if cmd.pays is not None:
        return []
    series_id = next((run.series_id for run in decided.runs), None)
    of = {"service_id": decided.service.id, "series_id": series_id}
    return await find_to_sign(uow, cmd.signing, cmd.customer_id, **of)


async def _judge_completing(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    cmd: BookCommand,
    booking_id: UUID,
    now: datetime,
    held: Mapping[UUID, int],
) -> _Judged:
    """The price is the one that was kept with the purchase. Whoever ends that is waited for."""
    found = await lock_completing(uow, tenant, booking_id, cmd.subject_id)
    count_as_free([found.session], held)
    quote = found.quote()
    check_reasons(tenant, found.reasons(business_facts(tenant), now), by_staff=False)
    await check_party(uow, cmd.offer_id, quote.party_size)
    check_dates(cmd.quoted_dates, quote)
    check_price(tenant, cmd.quoted_minor, cmd.locale, quote)
    notice = timedelta(minutes=found.service.min_notice_minutes)
    people = [one.participant_id for one in found.missing]
    starts_at = found.session.starts_at
    return _Judged(quote, found.service, now + notice, starts_at, starts_at, people, found.said)


async def _write(
    uow: UnitOfWork,
    ctx: RequestContext,
    tenant: TenantSnapshot,
    cmd: BookCommand,
    judged: _Judged,
    now: datetime,
) -> Booked:
    """Order, booking, participants and seats: rows that nobody else waits for."""
    quote, lifetime = judged.quote, HOLD_LIFETIME
    if quote.transfer_due_at is not None and quote.payment_mode is PaymentMode.TRANSFER:
        lifetime = quote.transfer_due_at - now
    elif cmd.pays is not None:
        lifetime = link_lifetime(judged.starts_at, now)
    customer_id, is_proved = await _customer(uow, cmd, now), cmd.proved_id is not None
    participant_ids = judged.people
    if participant_ids is None:
        participant_ids = await place_party(uow, customer_id, cmd.party, is_proved=is_proved)
    order = await insert_order(
        uow,
        _order(tenant, cmd, judged, customer_id, lifetime),
        month=month_key(now, tenant.zone) if _counts(cmd, quote) else None,
        now=now,
    )
    insert_signatures(
        uow,
        judged.to_sign,
        cmd.signing,
        customer_id=customer_id,
        order_id=order.id,
        is_proved=is_proved,
    )
    said = judged.said
    if said is None:
        given = answer_columns(judged.service, cmd.answers, cmd.people, participant_ids)
        said = {**given, "note": cmd.note}
    booking_id = insert_booking(uow, quote, order, said, cmd.completes, now)
    by: By = "guest" if cmd.pays is None else "staff"
    seat_ids = insert_seats(uow, quote, order, booking_id, participant_ids, now, by)
    if quote.credits is not None:
        author = Author(by, *((ctx.actor.user_id, ctx.actor.name) if by == "staff" else ()))
        lots = quote.credits.lots_of_seats(len(seat_ids))
        for lot_id in dict.fromkeys(lots):
            own = [seat_id for seat_id, lot in zip(seat_ids, lots, strict=True) if lot == lot_id]
            insert_redemptions(uow, lot_id, own, order.id, author, now)
    return Booked(order=order, booking_id=booking_id)


def _counts(cmd: BookCommand, quote: Quote) -> bool:
    """Whether it is one of the month's bookings: what completes a purchase was counted with it, and
    so was the place that a credit was given back for.
    """
    is_replacing = quote.credits is not None and quote.credits.is_given_back
    return cmd.completes is None and not is_replacing


async def _customer(uow: UnitOfWork, cmd: BookCommand, now: datetime) -> UUID:
    if cmd.customer_id is not None:
        return await keep_customer(uow, cmd.customer_id)
    return await find_or_add_customer(uow, cmd.guest_email, cmd.guest_name, cmd.guest_phone, now)


def _order(
    tenant: TenantSnapshot,
    cmd: BookCommand,
    judged: _Judged,
    customer_id: UUID,
    hold_lifetime: timedelta,
) -> NewOrder:
    quote = judged.quote
    return NewOrder(
        order_id=new_id(),
        customer_id=customer_id,
        payment_mode=quote.payment_mode,
        currency=tenant.currency,
        lines=lines_of(quote, tenant, judged.starts_at),
        guest_name=cmd.guest_name,
        guest_email=cmd.guest_email,
        guest_phone=cmd.guest_phone,
        form_token=cmd.form_token,
        fingerprint=cmd.fingerprint(),
        source=cmd.source,
        locale=cmd.locale,
        consents=cmd.consents,
        hold_lifetime=hold_lifetime,
        coupon=quote.coupon,
        voucher=quote.voucher,
    )
