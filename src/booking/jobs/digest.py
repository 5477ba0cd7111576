"""Mailing members about their business, and about their own day, at seven on its clock.

The mail, what it told until, and when the next one is due are one transaction, so that a digest is
neither lost nor sent twice, and what happened while nothing ran is in the next one.
"""

from datetime import datetime

from src.billing.commands.due import move_due
from src.billing.cron import work_off
from src.booking.commands.digests import DIGEST_DUE, lock_digest, may_have, stop_digest
from src.booking.domain.digests import (
    DigestKind,
    day_begins_at,
    day_ends_at,
    next_digest_at,
)
from src.booking.models import Digest
from src.booking.queries.digests import (
    Dated,
    Happened,
    find_recipient,
    list_full,
    list_led_by,
    what_happened,
)
from src.booking.queries.today import get_today
from src.booking.views.digests import DigestLine, DigestView, MorningView
from src.booking.waitlist_words import on_offer_short
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext, use_locale
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import Mail, queue_mail
from src.platform.mail.templates import render_mail
from src.platform.money import Money, format_money
from src.platform.services import Services
from src.platform.web.formats import date_long, date_range
from src.tenants.context import TenantSnapshot
from src.tenants.models import Due, User
from src.tenants.queries.tenants import tenant_snapshot

DIGEST_SECONDS = 30


def digesting(services: Services) -> Periodic:
    """Digests by the clock."""

    async def tell() -> None:
        await work_off(services, (DIGEST_DUE,), send_digest, parallel=2)

    return Periodic("booking.digest", tell, DIGEST_SECONDS)


async def send_digest(services: Services, due: Due) -> None:
    """One mail, or none when there is nothing to say; whoever is no member gets no more."""
    async with services.uow_factory(due.tenant_id) as uow:
        digest, now = await lock_digest(uow, due.ref), uow.clock.now()
        if digest is None:
            return
        kind = DigestKind(digest.kind)
        to = await find_recipient(uow, digest.user_id)
        if to is None or not may_have(to[1], kind):
            await stop_digest(uow, digest.id)
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        until = day_begins_at(now, tenant.zone)
        is_due = kind is DigestKind.MORNING or until > digest.told_until
        if tenant.status.is_seen and is_due:
            mail = await _mail(uow, services.settings, tenant, digest, to[0], until)
            if mail is not None:
                await queue_mail(uow, mail, host=services.settings.host)
            digest.told_until = max(until, digest.told_until)
        await move_due(uow, digest.id, next_digest_at(kind, now, tenant.zone))


async def _mail(
    uow: UnitOfWork,
    settings: Settings,
    tenant: TenantSnapshot,
    digest: Digest,
    to: User,
    until: datetime,
) -> Mail | None:
    with use_locale(to.locale):
        view: MorningView | DigestView | None
        if digest.kind == DigestKind.MORNING:
            name, view = "morning", await _morning(uow, settings, tenant, to)
        else:
            name, view = "digest", await _business(uow, settings, tenant, digest, to, until)
    if view is None:
        return None
    words = render_mail(f"booking/{name}", view, to.locale)
    return Mail(
        kind=name,
        to_address=to.email,
        to_name=to.name,
        from_name=tenant.name,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"digest:{digest.id}:{until.isoformat()}",
    )


async def _business(
    uow: UnitOfWork,
    settings: Settings,
    tenant: TenantSnapshot,
    digest: Digest,
    to: User,
    until: datetime,
) -> DigestView | None:
    """Everything since the last one; None when nothing happened and nothing waits."""
    now = uow.clock.now()
    happened = await what_happened(uow, digest.told_until, until)
    business = (await get_today(uow, tenant, now, led_by=None)).business
    needs = business.needs if business is not None else []
    if happened.is_nothing and not needs:
        return None
    is_weekly = digest.kind == DigestKind.WEEKLY
    base = f"{settings.base_url}/app/{tenant.slug}"
    return DigestView(
        locale=to.locale,
        from_name=tenant.name,
        name=to.name,
        heading=_("Your week") if is_weekly else _("Your day"),
        period=date_range(digest.told_until, until, tenant.zone),
        counts=_counts(happened, tenant.currency, to.locale),
        full=[_line(tenant, base, one) for one in await list_full(uow, now)],
        needs=[DigestLine(words=one.text, href=settings.base_url + one.href) for one in needs],
        href=f"{base}/today",
        settings_href=f"{base}/digests",
    )


def _counts(happened: Happened, currency: str, locale: str) -> list[tuple[str, str]]:
    received = format_money(Money(happened.received_minor, currency), locale)
    refunded = format_money(Money(happened.refunded_minor, currency), locale)
    counts = [
        (_("New bookings"), str(happened.bookings)),
        (_("Cancelled seats"), str(happened.cancelled_seats)),
        (_("Paid online"), received),
        (_("Sent back"), refunded),
    ]
    if happened.taken_back_minor:
        taken_back = format_money(Money(happened.taken_back_minor, currency), locale)
        counts.append((_("Taken back by guests' banks"), taken_back))
    return counts


async def _morning(
    uow: UnitOfWork, settings: Settings, tenant: TenantSnapshot, to: User
) -> MorningView | None:
    """What the member leads today; None on a day off."""
    now = uow.clock.now()
    bounds = day_begins_at(now, tenant.zone), day_ends_at(now, tenant.zone)
    sessions = await list_led_by(uow, to.id, *bounds)
    if not sessions:
        return None
    base = f"{settings.base_url}/app/{tenant.slug}"
    return MorningView(
        locale=to.locale,
        from_name=tenant.name,
        name=to.name,
        day=date_long(now, tenant.zone),
        sessions=[_line(tenant, base, one) for one in sessions],
        href=f"{base}/today",
        settings_href=f"{base}/digests",
    )


def _line(tenant: TenantSnapshot, base: str, one: Dated) -> DigestLine:
    session = one.session
    guests = ngettext(
        "%(num)s of %(capacity)s seat taken",
        "%(num)s of %(capacity)s seats taken",
        one.people,
        capacity=session.capacity,
    )
    when = date_range(session.starts_at, session.ends_at, tenant.zone)
    what = " · ".join(filter(None, (one.service_name, session.title)))
    parts = (f"{when}: {what}", one.place, guests, on_offer_short(one.on_offer))
    words = ", ".join(filter(None, parts))
    return DigestLine(words=words, href=f"{base}/sessions/{session.id}")
