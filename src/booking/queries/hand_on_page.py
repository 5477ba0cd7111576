"""What a guest, or staff, read before a place on a date is given to somebody else."""

from collections.abc import Sequence
from uuid import UUID

from src.billing.models import Order
from src.booking.commands.leave import facts_of_leaving
from src.booking.domain.kinds import By, SessionMode
from src.booking.domain.leaving import hand_on_until, terms_from, why_not_end, why_not_hand_on
from src.booking.domain.reasons import guest_sentence
from src.booking.queries.guest_leaving import Own, list_own, name_of
from src.booking.views.handing_on import HandOnFacts
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot


async def get_hand_on_page(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    order_id: UUID,
    session_id: UUID,
    *,
    by: By = "guest",
    seat_id: UUID | None = None,
) -> HandOnFacts:
    """Of one date of an order, of one seat of it where that is given.

    Raises: NotFound for what the booking does not have.
    """
    order = await uow.session.get(Order, (uow.tenant, order_id))
    own = [
        one
        for one in await list_own(uow, order_id)
        if one.seat.session.id == session_id and seat_id in (None, one.seat.seat.id)
    ]
    if order is None or not own:
        raise NotFound(_("There is no such date in this booking."))
    first = own[0].seat
    why_not, people = _people(uow, tenant, own, by)
    until_at = hand_on_until(
        terms_from(first.booking.leaving), first.session.starts_at, tenant.zone
    )
    return HandOnFacts(
        what=await name_of(uow, first.booking),
        title=first.session.title,
        starts_at=first.session.starts_at,
        ends_at=first.session.ends_at,
        is_online=first.session.mode == SessionMode.ONLINE,
        people=people,
        until_at=until_at if by == "guest" else None,
        why_not=why_not,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        zone=tenant.zone,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        has_it=own[0].who if len(own) == 1 and first.seat.is_handed_on else "",
    )


async def why_no_date_chosen(uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID) -> str:
    """For a guest who has named no date: why no place can be given, or that one is to be chosen;
    empty for what has no places.
    """
    own = await list_own(uow, order_id)
    if not own:
        return ""
    why_not, people = _people(uow, tenant, own, "guest")
    return _("Please choose the date whose place you want to give away.") if people else why_not


def _people(
    uow: UnitOfWork, tenant: TenantSnapshot, own: Sequence[Own], by: By
) -> tuple[str, list[tuple[str, str]]]:
    """Why nobody's place can be given, or whose can."""
    why, people, now = "", list[tuple[str, str]](), uow.clock.now()
    for one in own:
        facts = facts_of_leaving(one.seat, tenant)
        reasons = why_not_hand_on(facts, now) if by == "guest" else why_not_end(facts, now)
        if reasons:
            why = why or guest_sentence(reasons)
        else:
            people.append((str(one.seat.seat.id), one.who))
    return ("" if people else why), people
