"""Mails to who has a place that was handed on to them, and to who had it before.

Each is about one seat of one date and has that alone in its calendar file. It says who booked the
place, and nothing else of that booking.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from src.booking.calendar_files import (
    CalendarSeat,
    Organiser,
    booking_calendar,
    cancellation_calendar,
)
from src.booking.guest_links import booking_path
from src.booking.mail_parts import dates_file, join_url_of, place_of, runs_of
from src.booking.models import HandingOn
from src.booking.queries.handing_on import Holder
from src.booking.queries.mail_facts import BookingFacts, SeatFacts
from src.booking.views.mails import PlaceView
from src.platform.config import Settings
from src.platform.i18n import use_locale
from src.platform.mail.queue import Mail
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import SHIPPED, Wordings, render_worded

KIND = "place"
News = Literal["given", "reminder", "changed", "passed_on", "off"]


def worded_as(news: News) -> str:
    """Under which name a business words the mail."""
    return f"{KIND}_{news}"


class To(NamedTuple):
    """Who is written to, of what; `key` names the occasion."""

    name: str
    address: str
    news: News
    key: str


class Entry(NamedTuple):
    """What is in a calendar of somebody: under which id, at which SEQUENCE."""

    calendar_id: UUID
    sequence: int


def place_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    to: To,
    now: datetime,
    *,
    taker: str = "",
    entry: Entry | None = None,
    booking_url: str = "",
    reason: str = "",
    is_moved: bool = False,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """One seat, the only one of `facts`. `entry` is that of its reader's calendar, where it is not
    the seat's own. `is_moved`: a place that is off is its guest's on another date.
    """
    [item], order = facts.seats, facts.order
    comes = to.news not in ("passed_on", "off")
    with use_locale(order.locale):
        view = PlaceView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=to.name,
            news=to.news,
            what=facts.what,
            giver=order.guest_name,
            taker=taker,
            runs=runs_of(tenant, [item], may_join=comes),
            zone_name=tenant.zone_name,
            booking_url=booking_url,
            reason=reason,
            is_moved=is_moved,
        )
        rendered = render_worded(worded_as(to.news), view, order.locale, wordings)
    calendar = _calendar(settings, tenant, facts, item, now, entry, comes=comes)
    return Mail(
        kind=KIND,
        to_address=to.address,
        to_name=to.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"{KIND}:{to.news}:{to.key}",
        attachments=() if to.news == "reminder" else (dates_file(calendar),),
    )


def _calendar(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    item: SeatFacts,
    now: datetime,
    entry: Entry | None,
    *,
    comes: bool,
) -> bytes:
    own = Entry(item.seat.calendar_id or item.seat.id, item.seat.sequence + item.session.sequence)
    calendar_id, sequence = entry or own
    seat = CalendarSeat(
        seat_id=calendar_id,
        starts_at=item.session.starts_at,
        ends_at=item.session.ends_at,
        title=" · ".join(filter(None, (facts.service.name, item.session.title))),
        sequence=sequence,
        where=place_of(item) or join_url_of(item, may_join=comes),
        url=join_url_of(item, may_join=comes),
    )
    write = booking_calendar if comes else cancellation_calendar
    return write(
        [seat],
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )


def handed_on_mails(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    holder: To,
    before: HandingOn | None,
    gone: HandingOn,
    now: datetime,
    wordings: Wordings,
) -> list[Mail]:
    """To who has the place now, and to who had it as far as they know: `before` tells who of those
    to whom it had been handed on, None for who booked. `gone` is what took it from them.
    """
    order = facts.order
    buyer_url = settings.base_url + booking_path(settings, tenant.slug, order)
    url = buyer_url if before is None else ""
    had = (order.guest_name, order.guest_email) if before is None else (gone.was, before.address)
    former = To(*had, "passed_on", holder.key)
    entry = Entry(gone.was_calendar_id, gone.was_sequence + 1)
    mails = [
        place_mail(settings, tenant, facts, holder, now, wordings=wordings),
        place_mail(
            settings,
            tenant,
            facts,
            former,
            now,
            taker=holder.name,
            entry=entry,
            booking_url=url,
            wordings=wordings,
        ),
    ]
    return [mail for mail in mails if mail.to_address]


def news_to_holders(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Iterable[BookingFacts],
    holders: Mapping[UUID, Holder],
    news: News,
    now: datetime,
    occasion: str = "",
    reasons: Mapping[UUID, str] | None = None,
    wordings: Wordings = SHIPPED,
    *,
    is_moved: bool = False,
) -> list[Mail]:
    """What has become of places that were handed on, to each of those who have them; `reasons` say
    why by seat.
    """
    return [
        place_mail(
            settings,
            tenant,
            facts.with_seats([item]),
            _to(item, holder, news, occasion),
            now,
            reason=(reasons or {}).get(item.seat.id, ""),
            is_moved=is_moved,
            wordings=wordings,
        )
        for facts in bookings
        for item in facts.seats
        if (holder := holders.get(item.seat.id)) is not None and holder.address
    ]


def _to(item: SeatFacts, holder: Holder, news: News, occasion: str) -> To:
    """A seat ends once, and a state of its session is told once."""
    said = occasion or ("" if news == "off" else str(item.session.sequence))
    key = ":".join(filter(None, (str(item.seat.calendar_id), said)))
    return To(holder.name, holder.address, news, key)


def handed_on(bookings: Sequence[BookingFacts]) -> list[UUID]:
    """The seats of these bookings that were handed on."""
    return [item.seat.id for facts in bookings for item in facts.seats if item.seat.is_handed_on]
