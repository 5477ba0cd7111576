"""Mails to who waits for a place."""

from collections.abc import Sequence
from uuid import UUID

from src.booking.models import Session
from src.booking.queries.waitlist_page import EntryFacts
from src.booking.views.mails import RunView
from src.booking.views.waiting import (
    PlacesOfferedView,
    WaitlistClosedView,
    WaitlistJoinedView,
    WaitlistMovedView,
    WaitlistRemovedView,
)
from src.booking.waitlist_links import waitlist_path
from src.booking.waitlist_words import price_words
from src.platform.config import Settings
from src.platform.i18n import _, use_locale
from src.platform.mail.queue import Mail
from src.platform.mail.templates import RenderedMail, render_mail
from src.platform.web.formats import date_range, datetime_local
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import SHIPPED, Wordings, render_worded


def joined_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    occasion: UUID,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """You are on the list, this far ahead; one for each time that somebody asked."""
    entry = facts.entry
    with use_locale(entry.locale):
        view = WaitlistJoinedView(
            locale=entry.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=entry.name,
            what=facts.what,
            runs=_runs(tenant, facts),
            zone_name=tenant.timezone,
            size=entry.party_size,
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
        view = PlacesOfferedView(
            locale=entry.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=entry.name,
            what=facts.what,
            runs=_runs(tenant, facts),
            zone_name=tenant.timezone,
            size=entry.party_size,
            until=datetime_local(offer.expires_at, tenant.zone),
            price=price_words(facts.price, tenant.currency),
            holds=offer.holds,
            entry_url=settings.base_url + waitlist_path(settings, tenant.slug, entry),
        )
    return _mail("places_offered", tenant, facts, view, f"places_offered:{offer.id}", wordings)


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
            locale=entry.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=entry.name,
            what=facts.what,
            runs=_runs(tenant, facts, facts.coming),
            zone_name=tenant.timezone,
            size=entry.party_size,
            offer=_offer_after_move(tenant, facts),
            entry_url=settings.base_url + waitlist_path(settings, tenant.slug, entry),
        )
    key = f"waitlist_moved:{entry.id}:{mark}"
    return _mail("waitlist_moved", tenant, facts, view, key, wordings)


def closed_mail(settings: Settings, tenant: TenantSnapshot, facts: EntryFacts) -> Mail:
    """What you waited for does not take place."""
    entry = facts.entry
    with use_locale(entry.locale):
        view = WaitlistClosedView(
            locale=entry.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=entry.name,
            what=facts.what,
            runs=_runs(tenant, facts),
            zone_name=tenant.timezone,
            service_url=f"{settings.base_url}/b/{tenant.slug}/{facts.service.slug}",
        )
        rendered = render_mail("booking/waitlist_closed", view, entry.locale)
    return _addressed("waitlist_closed", tenant, facts, rendered, f"waitlist_closed:{entry.id}")


def removed_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    occasion: UUID,
    *,
    lost_offer: bool,
) -> Mail:
    """The business has taken you off the list; one for each time that it has."""
    entry = facts.entry
    with use_locale(entry.locale):
        view = WaitlistRemovedView(
            locale=entry.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=entry.name,
            what=facts.what,
            runs=_runs(tenant, facts),
            zone_name=tenant.timezone,
            lost_offer=lost_offer,
            service_url=f"{settings.base_url}/b/{tenant.slug}/{facts.service.slug}",
        )
        rendered = render_mail("booking/waitlist_removed", view, entry.locale)
    return _addressed("waitlist_removed", tenant, facts, rendered, f"waitlist_removed:{occasion}")


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


def _runs(
    tenant: TenantSnapshot, facts: EntryFacts, runs: Sequence[Session] | None = None
) -> list[RunView]:
    return [
        RunView(
            when=date_range(run.starts_at, run.ends_at, tenant.zone),
            title=run.title if facts.entry.series_id is not None else "",
            where=facts.place_of(run) or "",
        )
        for run in (facts.runs if runs is None else runs)
    ]


def _mail(
    name: str,
    tenant: TenantSnapshot,
    facts: EntryFacts,
    view: WaitlistJoinedView | PlacesOfferedView | WaitlistMovedView,
    dedupe_key: str,
    wordings: Wordings,
) -> Mail:
    locale = facts.entry.locale
    with use_locale(locale):
        rendered = render_worded(name, view, locale, wordings)
    return _addressed(name, tenant, facts, rendered, dedupe_key)


def _addressed(
    name: str, tenant: TenantSnapshot, facts: EntryFacts, rendered: RenderedMail, dedupe_key: str
) -> Mail:
    entry = facts.entry
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
