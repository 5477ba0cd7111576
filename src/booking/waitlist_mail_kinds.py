"""The mails to who waits, as businesses may word them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from src.booking.domain.moves import Heard
from src.booking.mail_parts import FORMER_TIMES, REASON
from src.booking.models import Service, Session, WaitlistEntry, WaitlistOffer
from src.booking.queries.offered_price import OfferedPrice
from src.booking.queries.waitlist_page import EntryFacts, get_entry_facts, with_price
from src.booking.waitlist_mails import (
    closed_mail,
    joined_mail,
    moved_mail,
    offered_mail,
    removed_mail,
)
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    MailKind,
    Placeholder,
    Preview,
    register_mail_kind,
)


def _first(view: Any) -> str:
    return str(view.runs[0].when) if view.runs else ""


_BASE = (
    CUSTOMER_NAME,
    BUSINESS,
    Placeholder(
        name="service",
        label=N_("What is waited for, with its series"),
        value=lambda view: view.what,
    ),
    Placeholder(
        name="dates",
        label=N_("All dates with place; alone in a paragraph, a list"),
        value=lambda view: "; ".join(run.when for run in view.runs),
    ),
    Placeholder(name="first_date", label=N_("The first date"), value=_first),
    Placeholder(
        name="timezone", label=N_("The clock of the times"), value=lambda view: view.zone_name
    ),
    CONTACT,
)
_COMMON = (
    *_BASE,
    Placeholder(
        name="people", label=N_("For how many places are waited"), value=lambda view: str(view.size)
    ),
    Placeholder(
        name="booking_link",
        label=N_("The page of their place in the list; alone in a paragraph, a button"),
        value=lambda view: view.entry_url,
    ),
)
_SERVICE_LINK = Placeholder(
    name="booking_link",
    label=N_("The service's page; alone in a paragraph, a button"),
    value=lambda view: view.service_url,
)


def register_waitlist_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


async def _latest(uow: UnitOfWork, asked: Preview) -> EntryFacts | None:
    """The latest one who joined, in another language, with an offer in any case."""
    entry_id = await uow.session.scalar(
        select(WaitlistEntry.id)
        .where(WaitlistEntry.tenant_id == uow.tenant)
        .order_by(WaitlistEntry.joined_at.desc(), WaitlistEntry.id.desc())
        .limit(1)
    )
    if entry_id is None:
        return None
    facts = await with_price(uow, asked.tenant, await get_entry_facts(uow, entry_id))
    # It is only shown so, and stays as it is.
    uow.session.expunge(facts.entry)
    facts.entry.locale = asked.locale
    return replace(facts, offer=facts.offer or _an_offer(uow))


def _an_offer(uow: UnitOfWork) -> WaitlistOffer:
    ends_at = uow.clock.now() + timedelta(hours=4)
    return WaitlistOffer(id=new_id(), state="live", expires_at=ends_at, holds=True)


def _made_up(uow: UnitOfWork, asked: Preview) -> EntryFacts:
    now = uow.clock.now()
    starts_at = (now + timedelta(days=7)).replace(minute=0, second=0, microsecond=0)
    entry = WaitlistEntry(
        tenant_id=uow.tenant,
        id=new_id(),
        session_id=new_id(),
        address="alex@example.com",
        name=_("Alex Example"),
        locale=asked.locale,
        party_size=1,
        joined_at=now,
    )
    session = Session(
        id=entry.session_id,
        title="",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        mode="in_person",
    )
    return EntryFacts(
        entry=entry,
        service=Service(name=_("Your service")),
        series=None,
        coming=[session],
        runs=[session],
        places={},
        position=2,
        count=5,
        offer=_an_offer(uow),
        order=None,
        price=OfferedPrice(1500),
    )


def _joined(facts: EntryFacts, asked: Preview) -> Mail:
    return joined_mail(asked.settings, asked.tenant, facts, new_id(), asked.wordings)


def _offered(facts: EntryFacts, asked: Preview) -> Mail:
    return offered_mail(asked.settings, asked.tenant, facts, asked.wordings)


def _shown(
    build: Callable[[EntryFacts, Preview], Mail],
) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With the latest one who joined a list, or one who is made up where there is none yet."""

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        return build(await _latest(uow, asked) or _made_up(uow, asked), asked)

    return preview


def _moved(facts: EntryFacts, asked: Preview) -> Mail:
    """As if all dates had been an hour sooner."""
    facts = replace(facts, heard={run.id: _an_hour_sooner(run, asked) for run in facts.coming})
    return moved_mail(asked.settings, asked.tenant, facts, "", asked.wordings)


def _an_hour_sooner(run: Session, asked: Preview) -> Heard:
    hour = timedelta(hours=1)
    return Heard(
        starts_at=run.starts_at - hour,
        ends_at=run.ends_at - hour,
        timezone=asked.tenant.timezone,
        reasons=(_("The hall is closed."),),
    )


def _closed(facts: EntryFacts, asked: Preview) -> Mail:
    return closed_mail(asked.settings, asked.tenant, facts, asked.wordings)


def _removed(facts: EntryFacts, asked: Preview) -> Mail:
    return removed_mail(
        asked.settings, asked.tenant, facts, new_id(), asked.wordings, lost_offer=True
    )


_KINDS = (
    MailKind(
        key="waitlist_joined",
        template="booking/waitlist_joined",
        title=N_("On the waiting list"),
        occasion=N_("When somebody joins a waiting list, with the link to their place in it."),
        starter_subject=N_("On the waiting list: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nYou are on the waiting list for {service}, at position"
            " {position}. We write to you as soon as there is a place.\n\n{asked}\n\n{dates}\n\n"
            "{booking_link}"
        ),
        button=N_("See your position, or leave the list"),
        placeholders=(
            *_COMMON,
            Placeholder(
                name="position",
                label=N_("Their position in the list"),
                value=lambda view: str(view.position),
            ),
            Placeholder(
                name="asked",
                label=N_("What stands, where another number was asked for; nothing otherwise"),
                value=lambda view: view.asked,
            ),
        ),
        needed=("booking_link",),
        always=("asked",),
        place=10,
        preview=_shown(_joined),
    ),
    MailKind(
        key="places_offered",
        template="booking/places_offered",
        title=N_("A place for somebody who waits"),
        occasion=N_("When a place gets free, with the link to take it."),
        starter_subject=N_("There is a place for you: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nThere is a place for you in {service}, until {until}.\n\n"
            "{moved}\n\n{dates}\n\nPrice: {price}\n\n{booking_link}"
        ),
        button=N_("Take the offer, or let it go"),
        placeholders=(
            *_COMMON,
            Placeholder(
                name="until",
                label=N_("Until when the offer lasts"),
                value=lambda view: view.until,
            ),
            Placeholder(
                name="price",
                label=N_("What the places cost, for all of the party"),
                value=lambda view: view.price,
            ),
            Placeholder(
                name="moved",
                label=N_("What has another time than before, and why; nothing otherwise"),
                value=lambda view: view.moved,
            ),
        ),
        needed=("booking_link", "until"),
        # Who waits has no other mail of the act that moved the date and brought the offer.
        always=("moved",),
        place=10,
        preview=_shown(_offered),
    ),
    MailKind(
        key="waitlist_moved",
        template="booking/waitlist_moved",
        title=N_("Another time for somebody who waits"),
        occasion=N_("When what somebody waits for, or was offered, gets another time."),
        starter_subject=N_("Another time: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nYou are on the waiting list for {service}. Its time has"
            " changed; this is how it is now. {reason}\n\n{dates}\n\n{offer}\n\n{booking_link}"
        ),
        button=N_("See your place, or leave the list"),
        placeholders=(
            *_COMMON,
            FORMER_TIMES,
            REASON,
            Placeholder(
                name="offer",
                label=N_("What it means for an offer; nothing where there is none"),
                value=lambda view: view.offer,
            ),
        ),
        needed=("booking_link", "dates"),
        place=10,
        preview=_shown(_moved),
    ),
    MailKind(
        key="waitlist_closed",
        template="booking/waitlist_closed",
        title=N_("What is waited for is cancelled"),
        occasion=N_("When a date, or a whole series, is cancelled for which somebody waits."),
        starter_subject=N_("Does not take place: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nYou waited for a place in {service}. It has been cancelled,"
            " so the waiting list is closed.\n\n{dates}\n\n{booking_link}"
        ),
        button=N_("See the other dates"),
        placeholders=(*_BASE, _SERVICE_LINK),
        needed=("dates",),
        place=10,
        preview=_shown(_closed),
    ),
    MailKind(
        key="waitlist_removed",
        template="booking/waitlist_removed",
        title=N_("Taken off the waiting list"),
        occasion=N_("When you take somebody off a waiting list."),
        starter_subject=N_("No longer on the waiting list: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nWe have taken you off the waiting list for {service}."
            " {offer}\n\n{dates}\n\n{booking_link}"
        ),
        button=N_("See what else there is"),
        placeholders=(
            *_BASE,
            _SERVICE_LINK,
            Placeholder(
                name="offer",
                label=N_("What it means for an offer; nothing where there is none"),
                value=lambda view: view.offer,
            ),
        ),
        needed=("offer",),
        place=10,
        preview=_shown(_removed),
    ),
)
