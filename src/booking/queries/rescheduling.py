"""The times to which a guest may move an appointment, and what that would mean."""

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from src.billing.models import Order
from src.booking.commands.exchange import why_not_give_up
from src.booking.commands.leave import OwnSeat, facts_of_leaving
from src.booking.commands.reschedule import present_of
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.kinds import SeatState, SessionMode
from src.booking.domain.leaving import capped, most_percent_after, terms_from
from src.booking.domain.reasons import guest_sentence, time_is_present, time_taken
from src.booking.guest_links import booking_path
from src.booking.leaving_words import dates_in_words
from src.booking.models import Service
from src.booking.paying import paying_of
from src.booking.queries.free_times import givers
from src.booking.queries.guest_leaving import list_own, name_of
from src.booking.queries.slots import who_has_time
from src.booking.queries.time_picker import Picked, Place, get_time_picker
from src.booking.views.leaving import ReschedulePage
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

ANYONE = "anyone"


class AskedTime(msgspec.Struct, frozen=True, kw_only=True):
    """Which appointment is to be moved, what of the calendar is looked at, and to which time, None
    while the guest is choosing. `keeps_performer`: whoever gives it now.
    """

    order_id: UUID
    session_id: UUID
    picked: Picked
    to_at: datetime | None = None
    keeps_performer: bool = False


async def get_reschedule_page(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, asked: AskedTime
) -> ReschedulePage:
    """Raises: NotFound for a date that the booking does not have, or that is no appointment."""
    now = uow.clock.now()
    order = await uow.session.get(Order, (uow.tenant, asked.order_id))
    ours = [
        one
        for one in await list_own(uow, asked.order_id)
        if one.seat.session.id == asked.session_id and one.seat.session.is_slot
    ]
    if order is None or not ours:
        raise NotFound(_("There is no such date in this booking."))
    own = [one for one in ours if one.seat.seat.state == SeatState.CONFIRMED]
    first = (own or ours)[0].seat
    session = first.session
    service = await uow.session.get_one(Service, (uow.tenant, session.service_id))
    path = booking_path(settings, tenant.slug, order)
    action = f"{path}/time"
    reasons = why_not_give_up(tenant, [one.seat for one in own or ours], now)
    known = await givers(uow, service.id)
    asked_for = session.performer_id if asked.keeps_performer else asked.picked.performer
    performer = asked_for if asked_for in known else None
    wish = wish_of(asked, first, performer)
    refusal = ""
    if wish is not None and not reasons and wish.is_at(present_of(session)):
        refusal = time_is_present().guest_sentence
    elif wish is not None and not reasons:
        free = await who_has_time(uow, tenant, service, wish, except_session=session.id)
        refusal = "" if free else time_taken().guest_sentence
    chosen = wish if wish is not None and not refusal else None
    picker = None
    if not reasons and chosen is None:
        place = _place(action, first)
        picked = msgspec.structs.replace(asked.picked, performer=performer)
        picker = await get_time_picker(uow, tenant, service, picked, place)
    return ReschedulePage(
        name=await name_of(uow, first.booking),
        guest_email=order.guest_email,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        is_online=session.mode == SessionMode.ONLINE,
        people=[one.who for one in own] if first.booking.party_size > 1 else [],
        picker=picker,
        chosen_at=chosen.starts_at if chosen else None,
        chosen_until=chosen.ends_at if chosen else None,
        performer_id=performer,
        performer=known.get(performer, "") if performer else "",
        terms=_terms(first, order, chosen, tenant, now) if chosen else [],
        why_not=guest_sentence(reasons) if reasons else "",
        refusal=refusal,
        action=action,
        leave_href=f"{path}/leave?date={session.id}",
        path=path,
        zone=tenant.zone,
        currency=tenant.currency,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


def wish_of(asked: AskedTime, own: OwnSeat, performer_id: UUID | None) -> SlotWish | None:
    """The appointment keeps its length."""
    if asked.to_at is None:
        return None
    minutes = present_of(own.session).minutes
    return SlotWish(starts_at=asked.to_at, minutes=minutes, performer_id=performer_id)


def _place(action: str, own: OwnSeat) -> Place:
    date = str(own.session.id)

    def href_of(slot: SlotWish) -> str:
        parts = {
            "date": date,
            "at": f"{slot.starts_at:%Y%m%dT%H%MZ}",
            "with": str(slot.performer_id or ANYONE),
        }
        return f"{action}?{urlencode(parts)}"

    return Place(
        path=action,
        href_of=href_of,
        carried={"date": date},
        except_session=own.session.id,
        present=present_of(own.session),
        fixed_minutes=present_of(own.session).minutes,
        anyone=ANYONE,
    )


def _terms(
    own: OwnSeat, order: Order, chosen: SlotWish, tenant: TenantSnapshot, now: datetime
) -> list[str]:
    percent = most_percent_after(facts_of_leaving(own, tenant), now)
    terms = capped(terms_from(own.booking.leaving), percent)
    return dates_in_words(terms, paying_of(order), chosen.starts_at, tenant.zone, now)
