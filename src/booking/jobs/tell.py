"""Telling guests what happened to their bookings: those that wait together, in one transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import bindparam, select, text

from src.billing.domain.kinds import OrderState
from src.billing.events import OrderConfirmed
from src.billing.owed import list_owed_minor
from src.booking.commands.changes import mark_known, mark_told
from src.booking.commands.group_members import note_earned, note_lost
from src.booking.commands.waitlist_take import note_fulfilled
from src.booking.commands.worksheet_endings import note_unasked
from src.booking.domain.kinds import SeatState
from src.booking.events import (
    SWAP,
    BookingReaddressed,
    HeldPlacesCancelled,
    LeavingDeclined,
    PaymentLinkPromised,
    SeatsCancelled,
    SeatsLeft,
    SeatsMoved,
)
from src.booking.held_mails import held_cancelled_mail
from src.booking.jobs.handing_on import tell_holders
from src.booking.jobs.worksheets import want_worksheets
from src.booking.leaving_mails import declined_mail, moved_mail
from src.booking.mails import (
    BOOKED,
    cancellation_mail,
    confirmation_mail,
    payment_link_mail,
    seats_left_mail,
)
from src.booking.models import Booking, Cancellation, LeaveRequest, Seat
from src.booking.queries.agreements_waiting import find_of_orders
from src.booking.queries.changes import find_believed
from src.booking.queries.credits_back import find_credits_given
from src.booking.queries.known_seats import (
    find_believed_by_each,
    find_believed_dates,
    find_known_seats,
)
from src.booking.queries.late_fees import get_late_fees_minor
from src.booking.queries.leave_requests import find_cancelled_as_asked
from src.booking.queries.mail_facts import (
    BookingFacts,
    SeatFacts,
    bookings_that_go_on,
    facts_of_orders,
    facts_of_seats,
    find_booking_facts,
    find_split_parties,
)
from src.booking.queries.missing_dates import list_missing
from src.booking.queries.party import list_called
from src.booking.queries.returns import find_by_hand_minor
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import use_locale
from src.platform.jobs.context import JobContext, JobsTogether
from src.platform.mail.queue import queue_mail, queue_mails
from src.tenants.commands.customers import keep_customers
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

# Constant, as every confirmation runs it.
_LOCK_SEATS = text(
    "SELECT id FROM seats WHERE tenant_id = :tenant_id AND order_id = ANY(:order_ids)"
    " AND state = 'confirmed' ORDER BY session_id, id FOR NO KEY UPDATE"
)
_LOCK_THESE = (
    select(Seat.id, Seat.replaces_id)
    .where(Seat.tenant_id == bindparam("tenant_id"), Seat.id.in_(bindparam("ids", expanding=True)))
    .where(Seat.state == str(SeatState.CONFIRMED))
    .order_by(Seat.session_id, Seat.id)
    .with_for_update(key_share=True)
)
# Locked by id, for two portions may hold the same people.
_ESTABLISH = text(
    "WITH fresh AS MATERIALIZED (SELECT id FROM customers WHERE tenant_id = :tenant_id"
    " AND id = ANY(:customer_ids) AND NOT is_established ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE customers SET is_established = true FROM fresh"
    " WHERE customers.tenant_id = :tenant_id AND customers.id = fresh.id"
)


async def tell_of_confirmations(jobs: JobsTogether, events: Sequence[OrderConfirmed]) -> None:
    """One mail for each order and address with every date, and what changed since it was booked;
    whoever has a confirmed order is established, and waits no more for what it makes needless.
    """
    order_ids = [event.order_id for event in events]
    async with jobs.unit_of_work(done=jobs.jobs) as uow:
        facts = await _locked_facts(uow, order_ids)
        if not facts:
            return
        await _establish(uow, facts)
        await note_fulfilled(uow, order_ids)
        await note_earned(uow, order_ids)
        await want_worksheets(uow, order_ids)
        # Of a swap its guest hears by the mail about the new date.
        await _confirm(jobs, uow, [one for one in facts if one.order.source != SWAP])


async def tell_corrected_addresses(
    jobs: JobsTogether, events: Sequence[BookingReaddressed]
) -> None:
    """The confirmation once more, for each corrected address; nothing else of confirming happens
    again, for what was done since is the guest's own will.
    """
    async with jobs.unit_of_work(done=jobs.jobs) as uow:
        facts = await _locked_facts(uow, [event.order_id for event in events])
        if facts:
            await _confirm(jobs, uow, facts)


async def _locked_facts(uow: UnitOfWork, order_ids: Sequence[UUID]) -> list[BookingFacts]:
    """Locked before they are read: a change is told by this mail or, after it, by its own."""
    await uow.session.execute(_LOCK_SEATS, {"tenant_id": uow.tenant, "order_ids": order_ids})
    return await facts_of_orders(uow, order_ids)


async def _confirm(jobs: JobsTogether, uow: UnitOfWork, facts: Sequence[BookingFacts]) -> None:
    settings, now = jobs.services.settings, jobs.clock.now()
    facts = [one for one in facts if _has_dates(one)]
    seats = [item for one in facts for item in one.seats]
    believed = await find_believed(uow, seats)
    tenant = await tenant_snapshot(uow, uow.tenant, now)
    owed = await list_owed_minor(uow, [one.order.id for one in facts])
    wordings = await find_wordings(uow)
    missing = await list_missing(uow, tenant, settings, [one.booking for one in facts])
    agreements = await find_of_orders(uow, {one.order.id: one.order.customer_id for one in facts})
    mails = [
        confirmation_mail(
            settings,
            tenant,
            one,
            now,
            believed,
            owed_minor=owed[one.order.id],
            missing=missing.get(one.booking.id, []),
            agreements=agreements.get(one.order.id),
            wordings=wordings,
        )
        for one in facts
    ]
    await queue_mails(uow, [mail for mail in mails if mail.to_address], host=settings.host)
    # A date that was left before is not in the mail.
    await mark_told(uow, [item for item in seats if item.seat.state in BOOKED])


async def _establish(uow: UnitOfWork, facts: Sequence[BookingFacts]) -> None:
    kept = await keep_customers(uow, {one.order.customer_id for one in facts})
    customer_ids = list(kept.values())
    await uow.session.execute(_ESTABLISH, {"tenant_id": uow.tenant, "customer_ids": customer_ids})


async def tell_of_payment_link(job: JobContext, event: PaymentLinkPromised) -> None:
    """One mail with the link; none once it is paid, or the hold is over."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        facts = await find_booking_facts(uow, event.order_id)
        if facts is None or facts.order.state != OrderState.OPEN:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        wordings = await find_wordings(uow)
        mail = payment_link_mail(settings, tenant, facts, now, wordings, event.again)
        await queue_mail(uow, mail, host=settings.host)


async def tell_of_cancelled_hold(job: JobContext, event: HeldPlacesCancelled) -> None:
    """One mail to the guest who was told until when the places are held; none where a payment that
    came late has brought the order back.
    """
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        facts = await find_booking_facts(uow, event.order_id)
        if facts is None or facts.order.state == OrderState.CONFIRMED:
            return
        reasons = await uow.session.scalars(
            select(Cancellation.reason)
            .where(
                Cancellation.tenant_id == uow.tenant, Cancellation.id.in_(event.cancellation_ids)
            )
            .order_by(Cancellation.requested_at, Cancellation.id)
        )
        mail = held_cancelled_mail(
            settings,
            await tenant_snapshot(uow, uow.tenant, job.clock.now()),
            facts,
            lost=event.seat_ids,
            reason=" ".join(filter(None, dict.fromkeys(reasons))),
            wordings=await find_wordings(uow),
        )
        if mail.to_address:
            await queue_mail(uow, mail, host=settings.host)


def _has_dates(facts: BookingFacts) -> bool:
    """A booking that was cancelled before this mail left is told of by the cancellation's mail; one
    of which nothing but what was missed is left, by nothing: “you are booked” would not be true.
    """
    return any(item.seat.state in BOOKED - {SeatState.NO_SHOW} for item in facts.seats)


async def tell_of_cancelled_seats(jobs: JobsTogether, events: Sequence[SeatsCancelled]) -> None:
    """One mail to each customer with every date that was cancelled."""
    settings, now = jobs.services.settings, jobs.clock.now()
    async with jobs.unit_of_work(done=jobs.jobs) as uow:
        bookings = await facts_of_seats(uow, [event.seat_ids for event in events])
        named = Cancellation.id.in_({event.cancellation_id for event in events})
        found = await uow.session.scalars(
            select(Cancellation).where(Cancellation.tenant_id == uow.tenant, named)
        )
        cancellations = {one.id: one for one in found}
        as_asked = await find_cancelled_as_asked(uow, list(cancellations.values()))

        # Only of these somebody of the party may still come to the date.
        of_seats = {one.id for one in cancellations.values() if one.scope == "seats"}
        single = [
            one
            for event, theirs in zip(events, bookings, strict=True)
            if event.cancellation_id in of_seats
            for one in theirs
        ]
        every = [one for theirs in bookings for one in theirs]
        going_on = await bookings_that_go_on(uow, every)
        order_ids = [one.order.id for one in every]
        await note_lost(uow, order_ids)
        await note_unasked(uow, order_ids)
        by_hand = await find_by_hand_minor(uow, list(cancellations), order_ids)
        owed = await list_owed_minor(uow, order_ids)
        parties = await find_split_parties(uow, single) if single else {}
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        wordings = await find_wordings(uow)
        each_believes = await find_believed_by_each(
            uow, [_seats(theirs) for theirs in bookings], tenant.timezone
        )
        given = await find_credits_given(uow, [one for event in events for one in event.seat_ids])
        mails = [
            cancellation_mail(
                settings,
                tenant,
                theirs,
                cancellation_id=event.cancellation_id,
                reason=cancellations[event.cancellation_id].reason,
                as_asked=event.cancellation_id in as_asked,
                now=now,
                wordings=wordings,
                going_on=going_on,
                parties=parties if event.cancellation_id in of_seats else {},
                by_hand_minor=sum(
                    by_hand.get((event.cancellation_id, one.order.id), 0) for one in theirs
                ),
                owed_minor=sum(owed[one.order.id] for one in theirs),
                as_voucher=cancellations[event.cancellation_id].as_voucher,
                believed=believed,
                credits_back=[given[one] for one in event.seat_ids if one in given],
            )
            for event, theirs, believed in zip(events, bookings, each_believes, strict=True)
        ]
        await queue_mails(uow, [mail for mail in mails if mail.to_address], host=settings.host)
        reasons = _reasons(events, cancellations)
        await tell_holders(uow, jobs.services, tenant, every, "off", reasons=reasons)


def _reasons(
    events: Sequence[SeatsCancelled], cancellations: Mapping[UUID, Cancellation]
) -> dict[UUID, str]:
    """What the business said of each seat's cancelling."""
    return {
        seat_id: cancellations[event.cancellation_id].reason
        for event in events
        for seat_id in event.seat_ids
    }


async def tell_of_left_seats(job: JobContext, event: SeatsLeft) -> None:
    """One mail to the order's guest: what ended, and what comes back."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        [bookings] = await facts_of_seats(uow, [event.seat_ids])
        owed = await list_owed_minor(uow, [one.order.id for one in bookings])
        await note_lost(uow, list(owed))
        await note_unasked(uow, list(owed))
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mail = seats_left_mail(
            settings,
            tenant,
            bookings,
            why=event.why,
            by_guest=event.by == "guest",
            now=now,
            going_on=await bookings_that_go_on(uow, bookings),
            by_hand_minor=event.by_hand_minor,
            owed_minor=sum(owed.values()),
            parties=await find_split_parties(uow, bookings),
            believed=await find_believed_dates(uow, _seats(bookings), tenant.timezone),
            credits_back=list((await find_credits_given(uow, event.seat_ids)).values()),
            fee_minor=await get_late_fees_minor(uow, event.seat_ids),
            wordings=await find_wordings(uow),
        )
        if mail.to_address:
            await queue_mail(uow, mail, host=settings.host)
        await tell_holders(uow, job.services, tenant, bookings, "off")


def _seats(bookings: Sequence[BookingFacts]) -> list[SeatFacts]:
    return [item for facts in bookings for item in facts.seats]


async def tell_of_moved_seats(job: JobContext, event: SeatsMoved) -> None:
    """One mail to the order's guest: the date that they knew, and the new one. Of the new seats
    only those that stand are told of: what has ended or moved on has a mail of its own.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        # Locked before they are read: a change is told by this mail or, after it, by its own.
        locked = await uow.session.execute(
            _LOCK_THESE, {"tenant_id": uow.tenant, "ids": event.seat_ids}
        )
        new = {seat_id: replaces_id for seat_id, replaces_id in locked if replaces_id is not None}
        if not new:
            return
        known = await find_known_seats(uow, new)
        [before], [facts] = await facts_of_seats(uow, [list(known.values()), list(new)])
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        by_guest = event.by == "guest"
        with use_locale(facts.order.locale):
            people = await list_called(uow, list(new), facts.booking.party_size)
        mail = moved_mail(
            settings,
            tenant,
            before,
            facts,
            people=people,
            owed_minor=(await list_owed_minor(uow, [event.order_id]))[event.order_id],
            why=event.why,
            by_guest=by_guest,
            now=now,
            wordings=await find_wordings(uow),
        )
        # Back where they came from before they heard of it: nothing is new.
        is_news = {item.known for item in before.seats} != {item.known for item in facts.seats}
        if is_news and mail.to_address:
            await queue_mail(uow, mail, host=settings.host)
        reasons = {item.seat.id: event.why for item in before.seats}
        await tell_holders(
            uow, job.services, tenant, [before], "off", reasons=reasons, is_moved=is_news
        )
        await mark_told(uow, facts.seats)
        await mark_known(uow, list(new))


async def tell_of_declined_leaving(job: JobContext, event: LeavingDeclined) -> None:
    """One mail to the guest with the business's words."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        request = await uow.session.get_one(LeaveRequest, (uow.tenant, event.request_id))
        booking = await uow.session.get_one(Booking, (uow.tenant, request.booking_id))
        facts = await find_booking_facts(uow, booking.order_id)
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        if facts is not None and facts.order.guest_email:
            mail = declined_mail(settings, tenant, facts, request, await find_wordings(uow))
            await queue_mail(uow, mail, host=settings.host)
