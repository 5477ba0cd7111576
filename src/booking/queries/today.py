"""The day of a business: what comes next, how the month goes, what waits for a person."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, select

from src.billing.domain.kinds import OpenItemKind
from src.billing.queries.orders import (
    DisputeCount,
    count_disputes_to_look_at,
    count_open_items_by_kind,
    month_totals,
)
from src.billing.queries.transfers import count_awaited
from src.booking.models import Series, Service, Session
from src.booking.queries.called_off import list_called_off
from src.booking.queries.leave_requests import list_open_requests
from src.booking.queries.on_offer import places_on_offer, with_offers
from src.booking.queries.sessions import list_next_sessions
from src.booking.queries.standing import standing_in, unpaid_in
from src.booking.queries.today_charts import get_charts
from src.booking.queries.undecided import is_undecided
from src.booking.queries.unticked import list_unticked
from src.booking.views.leaving import LeaveAsked
from src.booking.views.today import BusinessToday, MonthCounter, Need, Today
from src.booking.waitlist_words import not_counted_words
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.web.formats import date_short
from src.tenants.context import TenantSnapshot
from src.tenants.domain.counters import percent_reached
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.queries.consequences import month_usage

MOST_SESSIONS = 8
MOST_REQUESTS = 5
TRIAL_ENDS_SOON = timedelta(days=5)


async def get_today(
    uow: UnitOfWork, tenant: TenantSnapshot, now: datetime, *, led_by: UUID | None
) -> Today:
    """With `led_by`, only what this member leads, and nothing about money."""
    sessions = await list_next_sessions(uow, now, most=MOST_SESSIONS, led_by=led_by)
    return Today(
        sessions=sessions,
        unticked=await list_unticked(uow, now, led_by=led_by),
        has_any=bool(sessions) or await _has_any_session(uow),
        business=await _business(uow, tenant, now) if led_by is None else None,
    )


async def _has_any_session(uow: UnitOfWork) -> bool:
    found = await uow.session.scalar(select(exists().where(Session.tenant_id == uow.tenant)))
    return bool(found)


async def _business(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> BusinessToday:
    totals = await month_totals(uow, tenant, now)
    counter = MonthCounter(
        month_starts_at=totals.month_starts_at,
        taken=await month_usage(uow, tenant.id, tenant.timezone, now),
        limit=tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH),
    )
    needs = [
        *await _leave_needs(uow, tenant),
        *await _session_needs(uow, tenant, now),
        *await _called_off_needs(uow, tenant, now),
        *await _money_needs(uow, tenant),
        *await _plan_needs(uow, tenant, counter, now),
    ]
    charts = await get_charts(uow, tenant, now)
    return BusinessToday(totals=totals, counter=counter, needs=needs, charts=charts)


async def _leave_needs(uow: UnitOfWork, tenant: TenantSnapshot) -> list[Need]:
    """Guests who wait for an answer, each by name; the rest as a number."""
    asked = await list_open_requests(uow)
    needs = [
        Need(
            tone="warning",
            text=_("%(guest)s asks to leave %(what)s.", guest=_who(one), what=one.what),
            href=f"/app/{tenant.slug}/leave-requests/{one.id}",
            label=_("Decide"),
        )
        for one in asked[:MOST_REQUESTS]
    ]
    if len(asked) > MOST_REQUESTS:
        more = len(asked) - MOST_REQUESTS
        text = ngettext(
            "%(num)s more guest asks to leave a course.",
            "%(num)s more guests ask to leave a course.",
            more,
        )
        href = f"/app/{tenant.slug}/leave-requests/{asked[MOST_REQUESTS].id}"
        needs.append(Need(tone="warning", text=text, href=href, label=_("Look at the next one")))
    return needs


def _who(asked: LeaveAsked) -> str:
    return asked.guest_name or asked.guest_email


async def _session_needs(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> list[Need]:
    """Sessions with too few people, of which somebody is to say whether they take place."""
    found = await uow.session.execute(
        with_offers(
            select(
                Session.id,
                Session.starts_at,
                Session.min_seats,
                Service.name,
                standing_in().label("people"),
                unpaid_in().label("unpaid"),
                places_on_offer().label("on_offer"),
            )
        )
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .where(
            Session.tenant_id == uow.tenant,
            Session.decision_asked_at.is_not(None),
            is_undecided(),
            Session.state == "scheduled",
            Session.starts_at > now,
            standing_in() < Session.min_seats,
        )
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_SESSIONS)
    )
    return [
        Need(
            tone="warning",
            text=_missing(row, tenant),
            href=f"/app/{tenant.slug}/sessions/{row.id}",
            label=_("Is it to take place?"),
        )
        for row in found
    ]


def _missing(row: Row[Any], tenant: TenantSnapshot) -> str:
    """How many people a session has of those it needs, and whether some may come yet."""
    text = _(
        "%(what)s, %(day)s: %(taken)s booked so far, and at least %(least)s are needed.",
        what=row.name,
        day=date_short(row.starts_at, tenant.zone),
        taken=row.people,
        least=row.min_seats,
    )
    return " ".join(filter(None, (text, not_counted_words(row.unpaid, row.on_offer))))


async def _called_off_needs(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> list[Need]:
    """Sessions that nobody called off, told until they would have begun."""
    rows = await list_called_off(uow, now, most=MOST_SESSIONS)
    return [_called_off_need(row, tenant) for row in rows]


def _called_off_need(row: Row[Any], tenant: TenantSnapshot) -> Need:
    """While it can still be undone nobody is told yet, and it leads to where it is undone."""
    base, day = f"/app/{tenant.slug}", date_short(row.Session.starts_at, tenant.zone)
    if row.can_be_undone:
        text = _(
            "%(what)s, %(day)s: is being called off, since too few people have booked. You can"
            " still undo it.",
            what=row.name,
            day=day,
        )
        href = f"{base}/cancellations/{row.cancellation_id}"
        return Need(tone="warning", text=text, href=href, label=_("Undo or keep it"))
    text = _(
        "%(what)s, %(day)s: called off, since too few people had booked.", what=row.name, day=day
    )
    href = f"{base}/sessions/{row.Session.id}"
    return Need(tone="info", text=text, href=href, label=_("Look at it"))


async def _money_needs(uow: UnitOfWork, tenant: TenantSnapshot) -> list[Need]:
    needs: list[Need] = []
    base = f"/app/{tenant.slug}"
    by_kind = await count_open_items_by_kind(uow)
    if by_kind.pop(OpenItemKind.DISPUTE, 0):
        href = f"{base}/orders?state=disputed"
        needs += [
            Need(tone="error", text=text, href=href, label=_("Look at it"))
            for text in _dispute_words(await count_disputes_to_look_at(uow))
        ]
    refunds = by_kind.pop(OpenItemKind.REFUND_FAILED, 0)
    if refunds:
        text = ngettext(
            "%(num)s refund needs a decision.", "%(num)s refunds need a decision.", refunds
        )
        href = f"{base}/orders?state=attention"
        needs.append(Need(tone="error", text=text, href=href, label=_("Look at it")))
    by_hand = by_kind.pop(OpenItemKind.HAND_BACK, 0)
    if by_hand:
        text = ngettext(
            "%(num)s guest gets money back by hand.",
            "%(num)s guests get money back by hand.",
            by_hand,
        )
        href = f"{base}/orders?state=attention"
        needs.append(Need(tone="warning", text=text, href=href, label=_("Look at it")))
    awaited = await count_awaited(uow)
    if awaited.first_until is not None:
        text = ngettext(
            "%(num)s bank transfer is waited for, until %(day)s.",
            "%(num)s bank transfers are waited for, the first until %(day)s.",
            awaited.orders,
            day=date_short(awaited.first_until, tenant.zone),
        )
        href, label = f"{base}/orders?state=transfer", _("Match the money")
        needs.append(Need(tone="info", text=text, href=href, label=label))
    open_items = sum(by_kind.values())
    if open_items:
        text = ngettext(
            "%(num)s payment needs a decision.", "%(num)s payments need a decision.", open_items
        )
        needs.append(Need(tone="error", text=text, href=f"{base}/orders", label=_("Look at it")))
    if not tenant.payments_ready and await _sells_online(uow):
        text = _("Guests cannot pay online yet, so what is paid online cannot be booked.")
        label = _("Connect payments")
        needs.append(Need(tone="warning", text=text, href=f"{base}/payments", label=label))
    return needs


def _dispute_words(disputes: DisputeCount) -> Iterator[str]:
    if disputes.open:
        yield ngettext(
            "A guest's bank disputes %(num)s payment.",
            "Guests' banks dispute %(num)s payments.",
            disputes.open,
        )
    if disputes.lost:
        yield ngettext(
            "The dispute over %(num)s payment was lost.",
            "The disputes over %(num)s payments were lost.",
            disputes.lost,
        )


async def _sells_online(uow: UnitOfWork) -> bool:
    services = exists().where(
        Service.tenant_id == uow.tenant, Service.active, Service.price_type == "online"
    )
    series = exists().where(
        Series.tenant_id == uow.tenant, Series.active, Series.price_type == "online"
    )
    return bool(await uow.session.scalar(select(services | series)))


async def _plan_needs(
    uow: UnitOfWork, tenant: TenantSnapshot, counter: MonthCounter, now: datetime
) -> list[Need]:
    needs: list[Need] = []
    href, label = f"/app/{tenant.slug}/plan", _("See the plans")
    ends_at = tenant.entitlements.trial_ends_at
    if ends_at is not None and ends_at - now <= TRIAL_ENDS_SOON:
        text = _(
            "Your trial of %(plan)s ends on %(day)s.",
            plan=tenant.entitlements.plan_name,
            day=date_short(ends_at, tenant.zone),
        )
        needs.append(Need(tone="warning", text=text, href=href, label=label))
    if not counter.is_used_up and percent_reached(counter.taken, counter.limit):
        text = _("This month's bookings are nearly used up.")
        needs.append(Need(tone="warning", text=text, href=href, label=label))
    if not tenant.entitlements.has(Feature.GROUP_SERVICES) and await _has_groups(uow):
        text = _("Your plan has no group services, so guests do not see yours.")
        needs.append(Need(tone="warning", text=text, href=href, label=label))
    return needs


async def _has_groups(uow: UnitOfWork) -> bool:
    found = await uow.session.scalar(
        select(
            exists().where(Service.tenant_id == uow.tenant, Service.active, Service.kind == "group")
        )
    )
    return bool(found)
