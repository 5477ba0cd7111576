"""The mail that a corrected address gets in place of several confirmations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from src.booking.calendar_files import Organiser, booking_calendar
from src.booking.guest_links import booking_path
from src.booking.mail_parts import (
    calendar_seats,
    mail_of,
    missing_of,
    party_of,
    runs_of,
    what_of,
)
from src.booking.mails import COMES
from src.booking.money_words import paid_line
from src.booking.queries.changes import Believed
from src.booking.queries.mail_facts import BookingFacts
from src.booking.views.guest import MissingDate
from src.booking.views.mails import BookingsAgainView, BookingToComeView
from src.platform.config import Settings
from src.platform.i18n import use_locale
from src.platform.mail.queue import Mail
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import SHIPPED, Wordings

NAME = "bookings_again"


def bookings_again_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    now: datetime,
    believed: Believed,
    *,
    owed: Mapping[UUID, int],
    missing: Mapping[UUID, Sequence[MissingDate]],
    wordings: Wordings = SHIPPED,
) -> Mail:
    """All that is to come of one guest, whose address was corrected: each booking with its dates,
    what is paid and its own link, and one calendar file with every date, under the same UIDs as in
    the confirmations. `owed` by order and `missing` by booking are what `confirmation_mail` has of
    each. It leaves once for the links of these bookings.
    """
    bookings = sorted(bookings, key=_first_date)
    first = bookings[0].order
    pages = [settings.base_url + booking_path(settings, tenant.slug, one.order) for one in bookings]
    coming = [[item for item in one.seats if item.seat.state in COMES] for one in bookings]
    with use_locale(first.locale):
        to_come = [
            BookingToComeView(
                what=what_of(tenant, one),
                runs=runs_of(tenant, seats, believed),
                party_size=one.booking.party_size,
                party=party_of(one, seats),
                money_line=paid_line(one, owed[one.order.id]),
                reference=one.order.reference,
                booking_url=page,
                missing=missing_of(tenant, missing.get(one.booking.id, []), page),
            )
            for one, seats, page in zip(bookings, coming, pages, strict=True)
        ]
        view = BookingsAgainView(
            locale=first.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=first.guest_name,
            bookings=to_come,
            zone_name=tenant.timezone,
        )
    calendar = booking_calendar(
        [
            entry
            for one, seats, page in zip(bookings, coming, pages, strict=True)
            for entry in calendar_seats(one, seats, page)
        ],
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    key = f"{NAME}:{_named(bookings)}"
    return mail_of(NAME, tenant, bookings[0], view, calendar, key, wordings)


def _first_date(facts: BookingFacts) -> tuple[datetime, UUID]:
    starts = [item.session.starts_at for item in facts.seats if item.seat.state in COMES]
    return min(starts), facts.order.id


def _named(bookings: Sequence[BookingFacts]) -> str:
    """These bookings with the links that they have: of any other there is another mail."""
    links = sorted(f"{one.order.id}:{one.order.link_version}" for one in bookings)
    return sha256(" ".join(links).encode()).hexdigest()
