"""Mails to who waits for a place."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from src.booking.models import Session
from src.booking.queries.waitlist_page import EntryFacts
from src.booking.said import time_words
from src.booking.views.mails import RunView
from src.booking.views.waiting import (
    PlacesOfferedView,
    WaitingMail,
    WaitlistClosedView,
    WaitlistJoinedView,
    WaitlistMovedView,
    WaitlistRemovedView,
)
from src.booking.waitlist_links import waitlist_path
from src.booking.waitlist_words import offered_price_words
from src.platform.config import Settings
from src.platform.i18n import _, use_locale
from src.platform.mail.queue import Mail
from src.platform.web.formats import date_range, datetime_local, number
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import SHIPPED, Wordings, render_worded


def joined_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    occasion: UUID,
    wordings: Wordings = SHIPPED,
    *,
    asked: int = 0,
) -> Mail:
    """You are on the list, this far ahead; one for each time that somebody asked. `asked`: how many
    they asked for this time, where they were on the list already.
    """
    entry = facts.entry
    with use_locale(entry.locale):
        view = WaitlistJoinedView(
            **_common(tenant, facts),
            size=entry.party_size,
            asked=_what_stands(asked, entry.party_size),
            position=facts.position,
            entry_url=settings.base_url + waitlist_path(settings, tenant.slug, entry),
        )
    return _mail("waitlist_joined", tenant, facts, view, f"waitlist_joined:{occasion}", wordings)


def offered_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """There are places for you. The entry has an offer."""
    entry, offer = facts.entry, facts.offer
    if offer is None:
        raise ValueError("an entry without an offer has nothing to be told of")
    with use_locale(entry.locale):
        common, reason = _common(tenant, facts), _reason(facts, facts.runs)
        view = PlacesOfferedView(
            **common,
            size=entry.party_size,
            reason=reason,
            moved=_what_moved(common["runs"], reason),
            until=datetime_local(offer.expires_at, tenant.zone),
            price=offered_price_words(facts.price, tenant.currency),
            holds=offer.holds,
            entry_url=settings.base_url + waitlist_path(settings, tenant.slug, entry),
        )
    return _mail("places_offered", tenant, facts, view, offered_key(offer.id), wordings)


def offered_key(offer_id: UUID) -> str:
    """Of the one mail about an offer."""
    return f"places_offered:{offer_id}"


def moved_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    mark: str,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """The dates have another time, also such as the entry's offer leaves out: all are listed.
    `mark` names what is said of them.
    """
    entry = facts.entry
    with use_locale(entry.locale):
        view = WaitlistMovedView(
            **_common(tenant, facts, facts.coming),
            size=entry.party_size,
            reason=_reason(facts, facts.coming),
            offer=_offer_after_move(tenant, facts),
            entry_url=settings.base_url + waitlist_path(settings, tenant.slug, entry),
        )
    key = f"waitlist_moved:{entry.id}:{mark}"
    return _mail("waitlist_moved", tenant, facts, view, key, wordings)


def closed_mail(
    settings: Settings, tenant: TenantSnapshot, facts: EntryFacts, wordings: Wordings = SHIPPED
) -> Mail:
    """What you waited for does not take place."""
    with use_locale(facts.entry.locale):
        view = WaitlistClosedView(
            **_common(tenant, facts), service_url=_service_url(settings, tenant, facts)
        )
    key = f"waitlist_closed:{facts.entry.id}"
    return _mail("waitlist_closed", tenant, facts, view, key, wordings)


def removed_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    occasion: UUID,
    wordings: Wordings = SHIPPED,
    *,
    lost_offer: bool,
) -> Mail:
    """The business has taken you off the list; one for each time that it has."""
    with use_locale(facts.entry.locale):
        view = WaitlistRemovedView(
            **_common(tenant, facts),
            offer=_offer_after_removal() if lost_offer else "",
            service_url=_service_url(settings, tenant, facts),
        )
    key = f"waitlist_removed:{occasion}"
    return _mail("waitlist_removed", tenant, facts, view, key, wordings)


def _service_url(settings: Settings, tenant: TenantSnapshot, facts: EntryFacts) -> str:
    return f"{settings.base_url}/b/{tenant.slug}/{facts.service.slug}"


def _what_stands(asked: int, size: int) -> str:
    if asked in (0, size):
        return ""
    return _(
        "You asked for places for %(asked)s just now, but you are on the list for %(size)s already,"
        " and that stands. To change it, leave the list and join it again; you are at its end"
        " then.",
        asked=number(asked),
        size=number(size),
    )


def _what_moved(runs: Sequence[RunView], reason: str) -> str:
    """The dates that have another time than was said before, and why."""
    said = [
        _("The time has changed: it is %(now)s, and no longer %(was)s.", now=run.when, was=run.was)
        for run in runs
        if run.was
    ]
    return " ".join([*said, f"{_('Why')}: {reason}"] if said and reason else said)


def _offer_after_removal() -> str:
    return _(
        "The place that was offered to you is no longer yours to take, and nothing was charged."
    )


def _offer_after_move(tenant: TenantSnapshot, facts: EntryFacts) -> str:
    if facts.live_offer is not None:
        until = datetime_local(facts.live_offer.expires_at, tenant.zone)
        return _("What you were offered stands until %(until)s.", until=until)
    if facts.has_lost_offer:
        return _(
            "What you were offered could not be taken in time any more, so it is not held for you."
            " You keep your turn on the list."
        )
    return ""


def _common(
    tenant: TenantSnapshot, facts: EntryFacts, runs: Sequence[Session] | None = None
) -> dict[str, Any]:
    """What `WaitingMail` has; of all dates that are waited for, where none are given."""
    return {
        "locale": facts.entry.locale,
        "from_name": tenant.name,
        "contact": tenant.contact_email,
        "guest_name": facts.entry.name,
        "what": facts.what(tenant.zone),
        "runs": _runs(tenant, facts, runs),
        "zone_name": tenant.zone_name,
    }


def _runs(
    tenant: TenantSnapshot, facts: EntryFacts, runs: Sequence[Session] | None = None
) -> list[RunView]:
    return [
        RunView(
            when=date_range(run.starts_at, run.ends_at, tenant.zone),
            title=run.title if _says_titles(facts) else "",
            where=facts.place_of(run) or "",
            was=_was(tenant, facts, run),
        )
        for run in (facts.runs if runs is None else runs)
    ]


def _was(tenant: TenantSnapshot, facts: EntryFacts, run: Session) -> str:
    heard = facts.heard.get(run.id)
    if heard is None:
        return ""
    return time_words(heard.starts_at, heard.ends_at, heard.timezone, tenant.timezone)


def _reason(facts: EntryFacts, runs: Sequence[Session]) -> str:
    """Each reason that was given, once."""
    heard = [facts.heard[run.id] for run in runs if run.id in facts.heard]
    return " ".join(dict.fromkeys(words for one in heard for words in one.reasons))


def _says_titles(facts: EntryFacts) -> bool:
    """Whether what is waited for is not called by the date's own title."""
    return facts.entry.series_id is not None or facts.entry.for_booking_id is not None


def _mail(
    name: str,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    view: WaitingMail,
    dedupe_key: str,
    wordings: Wordings,
) -> Mail:
    entry = facts.entry
    with use_locale(entry.locale):
        rendered = render_worded(name, view, entry.locale, wordings)
    return Mail(
        kind=name,
        to_address=entry.address,
        to_name=entry.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=dedupe_key,
    )
