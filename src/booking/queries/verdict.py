"""What a customer could be booked into, and what stands against it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.kinds import ServiceKind, SessionState
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.reasons import time_taken
from src.booking.mend_links import Subject, why_lines
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.customer_story import LIVE
from src.booking.queries.decide import Asked, Decided, business_now, decide
from src.booking.queries.slots import price_of, who_has_time
from src.booking.views.customers import Verdict
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.formats import datetime_local
from src.tenants.context import TenantSnapshot

MOST_SESSIONS, MOST_SERIES = 150, 60

Choice = tuple[str, str]
"""A value such as "session:<id>", and its words."""


def read_subject(what: str) -> tuple[SubjectKind, UUID] | None:
    """The kind and id in such a value, None for anything else."""
    kind, _colon, typed = what.partition(":")
    try:
        subject_id = UUID(typed)
    except ValueError:
        return None
    if kind == "session":
        return "session", subject_id
    return ("series", subject_id) if kind == "series" else None


async def list_series_choices(uow: UnitOfWork) -> list[Choice]:
    """Series with a date to come, also those that guests do not see; see `_with_more`."""
    coming = (
        select(Session.series_id)
        .where(Session.tenant_id == uow.tenant, Session.starts_at >= uow.clock.now())
        .where(Session.series_id.is_not(None))
    )
    found = await uow.session.execute(
        select(Series.id, Service.name, Series.title)
        .join(Service, (Service.tenant_id == Series.tenant_id) & (Service.id == Series.service_id))
        .where(Series.tenant_id == uow.tenant, Series.id.in_(coming))
        .order_by(Service.name, Series.title, Series.id)
        .limit(MOST_SERIES + 1)
    )
    rows = [(f"series:{row.id}", " · ".join((row.name, row.title))) for row in found]
    return _with_more(rows, MOST_SERIES, _("Others: on their own pages"))


def _with_more(choices: list[Choice], most: int, words: str) -> list[Choice]:
    """So many of them; that there are others is said by a last one that cannot be chosen."""
    return [*choices[:most], ("", words)] if len(choices) > most else choices


async def list_session_choices(uow: UnitOfWork, tenant: TenantSnapshot) -> list[Choice]:
    """The next dates; one further ahead is booked from its own page, which is said."""
    found = await uow.session.execute(
        select(Session.id, Session.starts_at, Session.title, Service.name)
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .where(
            Session.tenant_id == uow.tenant,
            Session.starts_at >= uow.clock.now(),
            Session.state == str(SessionState.SCHEDULED),
            ~Session.is_slot,
        )
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_SESSIONS + 1)
    )
    rows = [
        (
            f"session:{row.id}",
            " · ".join(
                filter(None, (datetime_local(row.starts_at, tenant.zone), row.name, row.title))
            ),
        )
        for row in found
    ]
    return _with_more(rows, MOST_SESSIONS, _("Later dates: on their own pages, from the calendar"))


async def list_appointment_choices(uow: UnitOfWork) -> list[Choice]:
    """Services by appointment, by their ids, those too that guests do not see."""
    found = await uow.session.execute(
        select(Service.id, Service.name)
        .where(
            Service.tenant_id == uow.tenant,
            Service.kind == str(ServiceKind.APPOINTMENT),
            Service.active,
        )
        .order_by(Service.name, Service.id)
    )
    return [(str(row.id), row.name) for row in found]


async def get_slot_verdict(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service, wish: SlotWish
) -> Verdict:
    """The same of an appointment's time: guests are held to the hours, and staff are not.

    Raises: NotFound for a length that is not offered.
    """
    price_minor = price_of(service, wish.minutes)
    if price_minor is None:
        raise NotFound(_("There is no such length."))
    base = f"/app/{tenant.slug}"
    subject = Subject(base=base, service_id=service.id)
    free = await who_has_time(uow, tenant, service, wish, by_staff=True)
    offered = await who_has_time(uow, tenant, service, wish)
    return Verdict(
        what="",
        name=service.name,
        when=wish.starts_at,
        href=f"{base}/services/{service.id}/edit",
        left=service.max_party,
        unit_minor=price_minor,
        prices=[],
        dates_key="",
        has_seats=0,
        guest=[] if offered else why_lines([time_taken()], subject),
        staff=[] if free else why_lines([time_taken()], subject),
    )


async def get_verdict(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    kind: SubjectKind,
    subject_id: UUID,
    customer_id: UUID | None,
    now: datetime,
) -> Verdict:
    """For one person. Raises: NotFound for what is absent, or another business's."""
    business = await business_now(uow, tenant, now)
    asked = Asked(kind=kind, subject_id=subject_id, customer_id=customer_id)
    guest = await decide(uow, tenant, business, asked, now)
    by_staff = Asked(kind=kind, subject_id=subject_id, pays="on_site")
    staff = await decide(uow, tenant, business, by_staff, now)
    return await verdict_of(uow, tenant, guest, staff, customer_id)


async def verdict_of(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    guest: Decided,
    staff: Decided,
    customer_id: UUID | None,
) -> Verdict:
    """What was decided for a guest and for staff about the same thing."""
    kind, subject_id = staff.quote.kind, staff.quote.subject_id
    given = set(staff.quote.session_ids)
    coming = [run for run in staff.runs if run.id in given]
    one = staff.runs[0] if kind == "session" else None
    subject = subject_of(tenant, staff)
    return Verdict(
        what=f"{kind}:{subject_id}",
        name=staff.quote.description,
        when=one.starts_at if one is not None else None,
        href=f"/app/{tenant.slug}/{'sessions' if kind == 'session' else 'series'}/{subject_id}",
        left=min((run.capacity - run.seats_taken for run in coming), default=0),
        unit_minor=staff.quote.unit_minor,
        prices=[(tier.key, tier.name, tier.price_minor) for tier in staff.tiers],
        dates_key=staff.quote.dates_key,
        has_seats=0 if customer_id is None else await _has(uow, kind, subject_id, customer_id),
        guest=why_lines(guest.reasons, subject),
        staff=why_lines(staff.reasons, subject),
        full_dates=_full_dates(staff, uow.clock.now()) if coming and not staff.reasons else [],
    )


def _full_dates(decided: Decided, now: datetime) -> list[datetime]:
    """Those to come that are not among what is booked."""
    given = set(decided.quote.session_ids)
    return [
        run.starts_at
        for run in decided.runs
        if run.id not in given and run.starts_at >= now and run.state == SessionState.SCHEDULED
    ]


def subject_of(tenant: TenantSnapshot, decided: Decided) -> Subject:
    """Where what stands against it is mended."""
    quote = decided.quote
    is_session = quote.kind == "session"
    return Subject(
        base=f"/app/{tenant.slug}",
        service_id=quote.service_id,
        session_id=quote.subject_id if is_session else None,
        series_id=decided.runs[0].series_id if is_session else quote.subject_id,
    )


async def _has(uow: UnitOfWork, kind: SubjectKind, subject_id: UUID, customer_id: UUID) -> int:
    """The customer's live seats in the session, or in the series as they bought it."""
    which = Seat.session_id == subject_id if kind == "session" else Booking.series_id == subject_id
    found = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Booking.customer_id == customer_id,
            Seat.state.in_(LIVE),
            which,
        )
    )
    return found or 0
