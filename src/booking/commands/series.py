"""Making, changing and publishing series.

Whoever changes a series or its dates locks its row first; the dates, which guests claim seats of,
are locked last and by id.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.commands.drop_in import amount_errors, rules_errors
from src.booking.commands.series_dates import (
    attach,
    dates_in_term,
    detach,
    leave_out_of_term,
    lock_dates,
    sessions_that_take_place,
)
from src.booking.commands.services import get_group_service
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SeriesPriceType,
    SessionState,
    Visibility,
)
from src.booking.domain.leaving import (
    NOTHING_BACK,
    BeforeUnit,
    LeavingTerms,
    keeping_policy,
    terms_errors,
    terms_from,
)
from src.booking.domain.online_prices import too_little_to_pay_online
from src.booking.domain.price_tiers import (
    PriceTier,
    document_of,
    over_errors,
    read_tiers,
    tier_errors,
    with_keys,
)
from src.booking.domain.publishing import (
    AttachedSession,
    PublishFacts,
    why_not_publishable_series,
)
from src.booking.domain.reasons import Reason
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.models import Series, Service, Session
from src.booking.queries.drop_in import drop_in_columns, rules_kept
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.customer_tags import read_tags, tag_errors
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

register_constraint(
    "pk_series",
    lambda: Conflict(_("This series has been saved already."), code="already_submitted"),
)


class SeriesCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner says of a series. `session_ids` are all the dates it is to have.

    `price_tiers` are prices of the whole term beside the full one. `leaving` are the terms for who
    buys it from now on. `drop_in_...` say how its dates are sold
    alone; see `domain/drop_in.py`. `tags` and `takes_credits` say which credits pay for what.
    """

    title: str
    price_type: SeriesPriceType
    price_minor: int = 0
    price_tiers: tuple[PriceTier, ...] = ()
    description: str = ""
    visibility: Visibility = Visibility.PUBLIC
    join_policy: JoinPolicy = JoinPolicy.BEFORE_START
    join_until_on: date | None = None
    gap_policy: GapPolicy = GapPolicy.BLOCK
    drop_in_allowed: bool = False
    drop_in_minor: int | None = None
    drop_in_opens_before: int | None = None
    drop_in_opens_unit: BeforeUnit = BeforeUnit.DAYS
    drop_in_pays: tuple[PayWay, ...] = ()
    tags: tuple[str, ...] = ()
    takes_credits: bool = False
    leaving: LeavingTerms = NOTHING_BACK
    session_ids: tuple[UUID, ...] = ()

    def drop_in(self) -> DropInRules:
        return DropInRules(
            allowed=self.drop_in_allowed,
            price_minor=self.drop_in_minor,
            opens_before=self.drop_in_opens_before,
            opens_unit=self.drop_in_opens_unit,
            pays=self.drop_in_pays,
        )


class NotPublishable(Conflict):
    """The series cannot go on sale; `reasons` say why and how to mend it."""

    code = "not_publishable"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(" ".join(f"{reason.owner_sentence} {reason.mend}" for reason in reasons))
        self.reasons = tuple(reasons)


async def get_series_command(uow: UnitOfWork, series_id: UUID) -> SeriesCommand:
    """The series as it is: what a change of some fields starts from. Raises: NotFound."""
    series = await get_series(uow, series_id)
    drop_in = rules_kept(series)
    return SeriesCommand(
        title=series.title,
        price_type=SeriesPriceType(series.price_type),
        price_minor=series.price_minor,
        price_tiers=read_tiers(series.price_tiers),
        description=series.description,
        visibility=Visibility(series.visibility),
        join_policy=JoinPolicy(series.join_policy),
        join_until_on=series.join_until_on,
        gap_policy=GapPolicy(series.gap_policy),
        drop_in_allowed=series.drop_in_allowed,
        drop_in_minor=series.drop_in_price_minor,
        drop_in_opens_before=drop_in.opens_before,
        drop_in_opens_unit=drop_in.opens_unit,
        drop_in_pays=drop_in.pays,
        tags=tuple(series.tags),
        takes_credits=series.takes_credits,
        leaving=terms_from(series.leaving),
        session_ids=tuple(sorted(await dates_in_term(uow, series_id))),
    )


async def create_series(
    uow: UnitOfWork,
    ctx: RequestContext,
    service_id: UUID,
    cmd: SeriesCommand,
    *,
    series_id: UUID | None = None,
) -> UUID:
    """A new series, off sale until it is published. Returns its id.

    The same `series_id` sent again creates nothing more.

    Raises: PlanLimitReached, NotFound, InvalidInput, Conflict.
    """
    await _require_plan(uow, ctx)
    service = await get_group_service(uow, service_id)
    series_id = series_id or new_id()
    if await uow.session.get(Series, (uow.tenant, series_id)) is not None:
        return series_id
    now = uow.clock.now()
    _check(cmd, service, ctx.here, to_local(now, ctx.here.zone).date())
    uow.session.add(
        Series(
            tenant_id=uow.tenant,
            id=series_id,
            service_id=service_id,
            created_at=now,
            updated_at=now,
            **_columns(cmd),
        )
    )
    await uow.session.flush()
    await audit(uow, ctx, "series.created", "series", series_id, title=cmd.title)
    await uow.settle()
    wanted = set(cmd.session_ids)
    await lock_dates(uow, wanted)
    await attach(uow, series_id, service_id, wanted, in_term=True)
    return series_id


async def update_series(
    uow: UnitOfWork,
    ctx: RequestContext,
    series_id: UUID,
    cmd: SeriesCommand,
    *,
    seen: str | None = None,
) -> None:
    """Changes what is said and which dates belong to it; holds and what is sold keep their price.

    Dates that join after the first publication are delivered to new buyers but do not move the
    base that prices are worked out by; one of the published term that is taken out leaves the base
    for good, and comes back as one that joined later. `seen` is the mark of the series that was
    looked at: one that has changed since is left alone.

    Raises: PlanLimitReached, NotFound, InvalidInput, Conflict.
    """
    await _require_plan(uow, ctx)
    series = await lock_series(uow, series_id)
    if seen is not None:
        await _check_seen(uow, series, cmd, seen)
    service = await uow.session.get_one(Service, (uow.tenant, series.service_id))
    today = to_local(uow.clock.now(), ctx.here.zone).date()
    _check(cmd, service, ctx.here, today, series)
    for name, value in _columns(cmd, series.leaving).items():
        setattr(series, name, value)
    series.updated_at = uow.clock.now()
    before = await dates_in_term(uow, series_id)
    wanted = set(cmd.session_ids)
    gone, new = before.keys() - wanted, wanted - before.keys()
    _shrink_base(series, sum(before[session_id] for session_id in gone))
    in_term = series.published_at is None
    await audit(uow, ctx, "series.changed", "series", series_id, title=cmd.title)
    await wake_waitlists(uow, gone | wanted)
    await uow.settle()
    await lock_dates(uow, gone | new)
    await detach(uow, series_id, gone)
    await attach(uow, series_id, series.service_id, new, in_term=in_term)


async def _check_seen(uow: UnitOfWork, series: Series, cmd: SeriesCommand, seen: str) -> None:
    """Sending the same thing twice undoes nothing. Raises: Conflict."""
    current = await get_series_command(uow, series.id)
    if mark_of(current) == seen:
        return
    is_same = set(cmd.session_ids) == set(current.session_ids) and all(
        getattr(series, name) == value for name, value in _columns(cmd, series.leaving).items()
    )
    if not is_same:
        raise changed_since_seen()


async def publish_series(uow: UnitOfWork, ctx: RequestContext, series_id: UUID) -> None:
    """Puts the series on sale; the first time its term, and so its base, is fixed for good.

    Raises: PlanLimitReached, NotFound, NotPublishable, Conflict when a date changes meanwhile.
    """
    await _require_plan(uow, ctx)
    series = await lock_series(uow, series_id)
    reasons = await reasons_against_publishing(uow, series)
    if reasons:
        raise NotPublishable(reasons)
    now = uow.clock.now()
    is_first = series.published_at is None
    if is_first:
        series.published_at = now
        series.base_sessions = await sessions_that_take_place(uow, series_id)
    series.active = True
    series.updated_at = now
    await audit(uow, ctx, "series.published", "series", series_id)
    await wake_waitlists(uow, await dates_in_term(uow, series_id))
    if is_first:
        await uow.settle()
        await leave_out_of_term(uow, series_id, series.base_sessions or 0)


async def unpublish_series(uow: UnitOfWork, ctx: RequestContext, series_id: UUID) -> None:
    """Takes the series off sale; what is sold runs on. No plan is asked for this."""
    series = await get_series(uow, series_id)
    series.active = False
    series.updated_at = uow.clock.now()
    await audit(uow, ctx, "series.unpublished", "series", series_id)


async def get_series(uow: UnitOfWork, series_id: UUID) -> Series:
    """Raises: NotFound, for another tenant's series too."""
    found = await uow.session.get(Series, (uow.tenant, series_id))
    if found is None:
        raise NotFound(_("There is no such series."))
    return found


async def lock_series(uow: UnitOfWork, series_id: UUID) -> Series:
    """The series, which nobody else changes until the end; guests can still book it.

    Raises: NotFound.
    """
    key = (uow.tenant, series_id)
    found = await uow.session.get(Series, key, with_for_update={"key_share": True})
    if found is None:
        raise NotFound(_("There is no such series."))
    return found


async def reasons_against_publishing(uow: UnitOfWork, series: Series) -> list[Reason]:
    """Every reason why it cannot go on sale now; empty when it can."""
    found = await uow.session.scalars(
        select(Session).where(Session.tenant_id == uow.tenant, Session.series_id == series.id)
    )
    facts = PublishFacts(
        service_id=series.service_id,
        sessions=[
            AttachedSession(
                service_id=session.service_id,
                state=SessionState(session.state),
                starts_at=session.starts_at,
            )
            for session in found
        ],
        price_type=SeriesPriceType(series.price_type),
        price_minor=series.price_minor,
        is_first=series.published_at is None,
    )
    return why_not_publishable_series(facts, uow.clock.now())


async def _require_plan(uow: UnitOfWork, ctx: RequestContext) -> None:
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    await require_feature_now(uow, ctx, Feature.SERIES)


def _check(
    cmd: SeriesCommand,
    service: Service,
    tenant: TenantSnapshot,
    today: date,
    series: Series | None = None,
) -> None:
    """Days that have passed may stay where the `series` has them. Raises: InvalidInput with every
    field's sentence.
    """
    wrong: dict[str, str] = {}
    if not cmd.title.strip():
        wrong["title"] = _("Please give the series a title.")
    if len(cmd.title) > 120:
        wrong["title"] = _("Please keep the title within 120 characters.")
    wrong |= _price_errors(cmd, service, tenant.currency) | terms_errors(cmd.leaving)
    wrong |= tag_errors(cmd.tags)
    before = () if series is None else read_tiers(series.price_tiers)
    wrong |= over_errors(with_keys(cmd.price_tiers), before, today)
    if cmd.join_policy is JoinPolicy.UNTIL and cmd.join_until_on is None:
        wrong["join_until_on"] = _("Please say until which day guests may join.")
    elif cmd.join_policy is JoinPolicy.UNTIL and _is_over(cmd.join_until_on, today, series):
        wrong["join_until_on"] = _("That day has passed, so nobody could join any more.")
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)


def _is_over(day: date | None, today: date, series: Series | None) -> bool:
    kept = None if series is None else series.join_until_on
    return day is not None and day < today and day != kept


def _price_errors(cmd: SeriesCommand, service: Service, currency: str) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if cmd.price_type is not SeriesPriceType.FREE and cmd.price_minor <= 0:
        wrong["price"] = _("Please say what the series costs, or make it free.")
    wrong |= amount_errors("price", cmd.price_minor, service)
    too_little = too_little_to_pay_online(cmd.price_type, cmd.price_minor, currency)
    if too_little is not None:
        wrong["price"] = too_little
    wrong |= tier_errors(cmd.price_tiers, cmd.price_type, currency, service.max_party)
    return wrong | rules_errors(cmd.drop_in(), DropInRules(), service, currency)


def _columns(cmd: SeriesCommand, leaving: object = None) -> dict[str, object]:
    is_free = cmd.price_type is SeriesPriceType.FREE
    until = cmd.join_until_on if cmd.join_policy is JoinPolicy.UNTIL else None
    return {
        "title": cmd.title.strip(),
        "description": cmd.description.strip(),
        "price_type": str(cmd.price_type),
        "price_minor": 0 if is_free else cmd.price_minor,
        "price_tiers": document_of(with_keys(cmd.price_tiers)),
        "visibility": str(cmd.visibility),
        "join_policy": str(cmd.join_policy),
        "join_until_on": until,
        "gap_policy": str(cmd.gap_policy),
        **drop_in_columns(cmd.drop_in()),
        "tags": read_tags(",".join(cmd.tags)),
        "takes_credits": cmd.takes_credits,
        "leaving": keeping_policy(cmd.leaving, leaving).document(),
    }


def _shrink_base(series: Series, dates: int) -> None:
    """So many dates of a published term leave it; what is left keeps its price per date.

    Raises: InvalidInput when none would be left.
    """
    if series.base_sessions is None or not dates:
        return
    if series.base_sessions <= dates:
        sentence = _("At least one date that the series was published with has to stay.")
        raise InvalidInput(sentence, fields={"session_ids": sentence})
    series.base_sessions -= dates
