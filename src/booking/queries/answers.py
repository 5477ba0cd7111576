"""Whether one customer can book something: their seats, their place in the queue, price and code.

Judged by the very functions that judge the guest; what is told is the owner's side of the answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.domain.credits import LotState, lot_state
from src.billing.domain.lot_users import Comer
from src.billing.queries.coupon_use import CouponAsked, CouponJudged, judge_coupon
from src.billing.queries.lots import list_lots_to_pay
from src.booking.commands.waitlist_take import held_by_offer
from src.booking.domain.bookable import BusinessFacts
from src.booking.domain.price_label import price_words
from src.booking.domain.price_tiers import FULL, Audience, PriceTier, first_choice
from src.booking.domain.quotes import Quote, SubjectKind
from src.booking.domain.reasons import ReasonCode
from src.booking.mend_links import coupon_lines, why_lines
from src.booking.models import WaitlistEntry
from src.booking.queries.coupons import purchase_of
from src.booking.queries.decide import Asked, Decided, business_now, decide
from src.booking.queries.verdict import subject_of, verdict_of
from src.booking.queries.waiting import STANDS, find_live_offer
from src.booking.queries.waitlists import get_waitlist
from src.booking.views.customers import Answer, CustomerHead, WhyLine
from src.booking.views.waiting import EntryRow
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.web.formats import datetime_local
from src.tenants.context import TenantSnapshot

TOLD_OF = (LotState.ACTIVE, LotState.EXPIRED, LotState.PENDING)
MOST_LOTS = 10
"""Of one customer; whoever has more looks on their page."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about. `tier` is the key of everyone's price, empty for the one that a guest
    begins with; so is one that this offer does not have.
    """

    kind: SubjectKind
    subject_id: UUID
    size: int = 1
    tier: str = ""
    code: str = ""


class _Waits(NamedTuple):
    """The customer's entries on the lists of what is asked about, and what an offer holds."""

    lines: list[WhyLine]
    held: dict[UUID, int]


async def get_answer(
    uow: UnitOfWork, tenant: TenantSnapshot, head: CustomerHead, wanted: Wanted, now: datetime
) -> Answer:
    """As the guest pages would answer now. Raises: NotFound for what is absent, or another
    business's.
    """
    business = await business_now(uow, tenant, now)
    asked = Asked(
        kind=wanted.kind,
        subject_id=wanted.subject_id,
        size=wanted.size,
        customer_id=head.id,
    )
    staff = await decide(uow, tenant, business, replace(asked, pays="on_site"), now)
    tier = _chosen(wanted.tier, staff.tiers)
    theirs = replace(asked, tiers=() if tier == FULL else (tier,) * wanted.size)
    guest = await decide(uow, tenant, business, theirs, now)
    verdict = await verdict_of(uow, tenant, guest, staff, head.id)
    waits = await _waits(uow, tenant, wanted, staff, head.email)
    if waits.held:
        # Last, for what is held is then taken out of what was read of the sessions.
        guest = await decide(uow, tenant, business, theirs, now, waits.held)
    judged = await _judged(uow, tenant, guest.quote, wanted.code, head.email)
    quote = guest.quote if judged is None else replace(guest.quote, coupon=judged.applied)
    return Answer(
        verdict=verdict,
        size=wanted.size,
        tier=tier,
        code=wanted.code,
        prices=_prices(tenant, staff),
        about=[
            *waits.lines,
            *_staff_prices(tenant, staff),
            *await _credits(uow, tenant, business, theirs, head.id, now),
        ],
        against=[
            *why_lines(guest.reasons, subject_of(tenant, guest)),
            *_not_theirs(tier, staff.tiers),
        ],
        code_against=_code_lines(tenant, judged),
        lines=_lines(quote),
        total_minor=quote.total_minor,
        way=str(quote.payment_mode),
        may_be_booked_by_staff=not staff.reasons,
    )


async def _credits(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    asked: Asked,
    customer_id: UUID,
    now: datetime,
) -> list[WhyLine]:
    """What the customer's credits would do: each lot that is not over, the newest first. That
    nothing of it can be paid with credits is said once, whatever they own.
    """
    lots = await list_lots_to_pay(uow, customer_id)
    lines, told = [], set[frozenset[UUID]]()
    # For one it is the customer who comes; who the others are, nobody has said.
    party = (Comer(is_owner=True),) if asked.size == 1 else None
    for lot in [one for one in reversed(lots) if lot_state(one, now) in TOLD_OF][:MOST_LOTS]:
        decided = await decide(uow, tenant, business, replace(asked, lot=lot, party=party), now)
        against = [one for one in decided.reasons if one.code.value.startswith("credits_")]
        if not_taken := [one for one in against if one.code is ReasonCode.CREDITS_NOT_TAKEN]:
            return [WhyLine(sentence=not_taken[0].owner_sentence, mend="", href="")]
        page = f"/app/{tenant.slug}/credits/{lot.id}"
        lines += [WhyLine(sentence=r.owner_sentence, mend=r.mend, href=page) for r in against]
        paying = decided.quote.credits
        if not against and paying is not None and paying.lot_ids not in told:
            told.add(paying.lot_ids)
            said = ngettext(
                "“%(name)s” can pay for this; %(num)s credit is left.",
                "“%(name)s” can pay for this; %(num)s credits are left.",
                paying.balance,
                name=lot.name,
            )
            page = f"/app/{tenant.slug}/credits/{paying.lot_id}"
            lines.append(WhyLine(sentence=said, mend="", href=page))
    return lines


def _chosen(wanted: str, tiers: Sequence[PriceTier]) -> str:
    """The key of the price that is asked about."""
    if wanted == FULL or any(tier.key == wanted for tier in tiers):
        return wanted
    return first_choice([tier for tier in tiers if tier.audience is Audience.PUBLIC])


def _prices(tenant: TenantSnapshot, staff: Decided) -> list[tuple[str, str]]:
    """What can be asked about, by key; nothing where there is but one price."""
    if not staff.tiers:
        return []
    named = [(FULL, _("Full price"), staff.quote.unit_minor)]
    named += [(tier.key, tier.name, tier.price_minor) for tier in staff.tiers]
    return [
        (key, f"{name} · {price_words(price_minor, tenant.currency)}")
        for key, name, price_minor in named
    ]


def _staff_prices(tenant: TenantSnapshot, staff: Decided) -> list[WhyLine]:
    """Prices that the customer may have, but not choose."""
    return [
        WhyLine(
            sentence=_(
                "Staff can book them at “%(name)s”: %(price)s.",
                name=tier.name,
                price=price_words(tier.price_minor, tenant.currency),
            ),
            mend="",
        )
        for tier in staff.tiers
        if tier.audience is Audience.STAFF
    ]


def _not_theirs(chosen: str, tiers: Sequence[PriceTier]) -> list[WhyLine]:
    """Against a price that no guest sees."""
    own = next((tier for tier in tiers if tier.key == chosen), None)
    if own is None or own.audience is Audience.PUBLIC:
        return []
    return [
        WhyLine(
            sentence=_("Only staff can choose the price “%(name)s”.", name=own.name),
            mend=_("Book it for them at this price."),
        )
    ]


async def _waits(
    uow: UnitOfWork, tenant: TenantSnapshot, wanted: Wanted, decided: Decided, email: str
) -> _Waits:
    """Of the list of what is asked about, and of a session's series too."""
    list_ids = {wanted.subject_id}
    if wanted.kind == "session" and decided.runs[0].series_id is not None:
        list_ids.add(decided.runs[0].series_id)
    entries = await uow.session.scalars(
        select(WaitlistEntry)
        .where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.address == email,
            WaitlistEntry.state.in_(STANDS),
            WaitlistEntry.session_id.in_(list_ids) | WaitlistEntry.series_id.in_(list_ids),
        )
        .order_by(WaitlistEntry.queued_at, WaitlistEntry.id)
    )
    lines: list[WhyLine] = []
    held: dict[UUID, int] = {}
    for entry in entries.all() if email else ():
        kind: SubjectKind = "session" if entry.session_id is not None else "series"
        page = await get_waitlist(uow, tenant, kind, entry.list_id)
        row = next(one for one in page.standing if one.entry_id == entry.id)
        now = uow.clock.now()
        lines.append(_waits_line(row, kind, f"{page.here}/waitlist", tenant, now))
        offer = await find_live_offer(uow, entry.id)
        # What completes a purchase is taken for that, and not by booking anew.
        if offer is not None and kind == wanted.kind and entry.for_booking_id is None:
            held = await held_by_offer(uow, offer.id)
    return _Waits(lines, held)


def _waits_line(
    row: EntryRow, kind: SubjectKind, href: str, tenant: TenantSnapshot, now: datetime
) -> WhyLine:
    see = _("See the waiting list")
    if row.until_at is not None and row.until_at < now:
        until = datetime_local(row.until_at, tenant.zone)
        over = _("What was offered to them could be taken until %(until)s.", until=until)
        return WhyLine(sentence=over, mend=see, href=href)
    if row.until_at is not None:
        return WhyLine(
            sentence=ngettext(
                "%(num)s place is offered to them until %(until)s, by a link in their mail.",
                "%(num)s places are offered to them until %(until)s, by a link in their mail.",
                row.size,
                until=datetime_local(row.until_at, tenant.zone),
            ),
            mend=see,
            href=href,
        )
    place = (
        _("They wait for the series as number %(place)s", place=row.position)
        if kind == "series"
        else _("They wait for this date as number %(place)s", place=row.position)
    )
    people = ngettext("%(num)s person", "%(num)s people", row.size)
    completes = _("Completes %(series)s", series=row.completes) if row.completes else ""
    said = " · ".join(filter(None, (place, people, completes)))
    why = " ".join(sentence for sentence, _mend in row.why)
    return WhyLine(sentence=f"{said}. {why}".strip(), mend=see, href=href)


async def _judged(
    uow: UnitOfWork, tenant: TenantSnapshot, quote: Quote, code: str, email: str
) -> CouponJudged | None:
    """The code for this customer; without the purchase where nothing can be bought just now."""
    if not code.strip():
        return None
    purchase = purchase_of(quote, tenant.currency) if quote.session_ids else None
    return await judge_coupon(uow, tenant, CouponAsked(code=code, purchase=purchase, email=email))


def _code_lines(tenant: TenantSnapshot, judged: CouponJudged | None) -> list[WhyLine]:
    if judged is None:
        return []
    coupon_id = None if judged.coupon is None else judged.coupon.id
    return coupon_lines(judged.reasons, f"/app/{tenant.slug}", coupon_id)


def _lines(quote: Quote) -> list[tuple[str, int, str]]:
    """The price worked out: those who pay the same, and what the code takes off."""
    lines = [
        (
            line.tier or _("Full price"),
            line.unit_minor * line.quantity,
            ngettext("%(num)s person", "%(num)s people", line.quantity),
        )
        for line in quote.lines()
    ]
    if quote.coupon is not None:
        off = _("Code %(code)s", code=quote.coupon.code)
        lines.append((off, -quote.discount_minor, ""))
    return lines
