"""Making, changing and publishing series.

Whoever changes a series or its dates locks its row first; the dates, which guests claim seats of,
are locked last and by id.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update

from src.booking.domain.bookable import (
    AttachedSession,
    PublishFacts,
    why_not_publishable_series,
)
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SeriesPriceType,
    SessionState,
    Visibility,
)
from src.booking.domain.online_prices import too_little_to_pay_online
from src.booking.domain.reasons import Reason
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now

MAX_PRICE_MINOR = 100_000_00

register_constraint(
    "pk_series",
    lambda: Conflict(_("This series has been saved already."), code="already_submitted"),
)


class SeriesCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner says of a series. `session_ids` are all the dates it is to have.

    `drop_in_minor` None: a single date costs what the service says. It is paid as the service
    says, so a free service has none above 0.
    """

    title: str
    price_type: SeriesPriceType
    price_minor: int = 0
    description: str = ""
    visibility: Visibility = Visibility.PUBLIC
    join_policy: JoinPolicy = JoinPolicy.BEFORE_START
    join_until_on: date | None = None
    gap_policy: GapPolicy = GapPolicy.BLOCK
    drop_in_allowed: bool = False
    drop_in_minor: int | None = None
    session_ids: tuple[UUID, ...] = ()


class NotPublishable(Conflict):
    """The series cannot go on sale; `reasons` say why and how to mend it."""

    code = "not_publishable"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(" ".join(f"{reason.owner_sentence} {reason.mend}" for reason in reasons))
        self.reasons = tuple(reasons)


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
    service = await uow.session.get(Service, (uow.tenant, service_id))
    if service is None:
        raise NotFound(_("There is no such service."))
    series_id = series_id or new_id()
    if await uow.session.get(Series, (uow.tenant, series_id)) is not None:
        return series_id
    _check(cmd, service, ctx.here.currency)
    now = uow.clock.now()
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
    await _lock_dates(uow, wanted)
    await _attach(uow, series_id, service_id, wanted, in_term=True)
    return series_id


async def update_series(
    uow: UnitOfWork, ctx: RequestContext, series_id: UUID, cmd: SeriesCommand
) -> None:
    """Changes what is said and which dates belong to it; holds and what is sold keep their price.

    Dates that join after the first publication are delivered to new buyers but do not move the
    base that prices are worked out by; one of the published term that is taken out leaves the base
    for good, and comes back as one that joined later.

    Raises: PlanLimitReached, NotFound, InvalidInput, Conflict.
    """
    await _require_plan(uow, ctx)
    series = await _lock_series(uow, series_id)
    service = await uow.session.get_one(Service, (uow.tenant, series.service_id))
    _check(cmd, service, ctx.here.currency)
    for name, value in _columns(cmd).items():
        setattr(series, name, value)
    series.updated_at = uow.clock.now()
    before = await _dates_in_term(uow, series_id)
    wanted = set(cmd.session_ids)
    gone, new = before.keys() - wanted, wanted - before.keys()
    _shrink_base(series, sum(before[session_id] for session_id in gone))
    in_term = series.published_at is None
    await audit(uow, ctx, "series.changed", "series", series_id, title=cmd.title)
    await uow.settle()
    await _lock_dates(uow, gone | new)
    await _detach(uow, series_id, gone)
    await _attach(uow, series_id, series.service_id, new, in_term=in_term)


async def publish_series(uow: UnitOfWork, ctx: RequestContext, series_id: UUID) -> None:
    """Puts the series on sale; the first time its term, and so its base, is fixed for good.

    Raises: PlanLimitReached, NotFound, NotPublishable.
    """
    await _require_plan(uow, ctx)
    series = await _lock_series(uow, series_id)
    reasons = await reasons_against_publishing(uow, series)
    if reasons:
        raise NotPublishable(reasons)
    now = uow.clock.now()
    if series.published_at is None:
        series.published_at = now
        series.base_sessions = await _sessions_that_take_place(uow, series_id)
    series.active = True
    series.updated_at = now
    await audit(uow, ctx, "series.published", "series", series_id)


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


async def _lock_series(uow: UnitOfWork, series_id: UUID) -> Series:
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
    )
    return why_not_publishable_series(facts, uow.clock.now())


async def _require_plan(uow: UnitOfWork, ctx: RequestContext) -> None:
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    await require_feature_now(uow, ctx, Feature.SERIES)


def _check(cmd: SeriesCommand, service: Service, currency: str) -> None:
    """Raises: InvalidInput with every field's sentence."""
    wrong: dict[str, str] = {}
    if not cmd.title.strip():
        wrong["title"] = _("Please give the series a title.")
    if len(cmd.title) > 120:
        wrong["title"] = _("Please keep the title within 120 characters.")
    wrong |= _price_errors(cmd, service, currency)
    if cmd.join_policy is JoinPolicy.UNTIL and cmd.join_until_on is None:
        wrong["join_until_on"] = _("Please say until which day guests may join.")
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)


def _price_errors(cmd: SeriesCommand, service: Service, currency: str) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if cmd.price_type is not SeriesPriceType.FREE and cmd.price_minor <= 0:
        wrong["price"] = _("Please say what the series costs, or make it free.")
    if not 0 <= cmd.price_minor <= MAX_PRICE_MINOR:
        wrong["price"] = _("Please give a price between 0 and 100,000.")
    if cmd.drop_in_minor is not None and not 0 <= cmd.drop_in_minor <= MAX_PRICE_MINOR:
        wrong["drop_in_price"] = _("Please give a price between 0 and 100,000.")
    elif cmd.drop_in_minor and service.price_type == SeriesPriceType.FREE:
        wrong["drop_in_price"] = _("The service is free, so a single date cannot have a price.")
    for name, price_type, price_minor in (
        ("price", cmd.price_type, cmd.price_minor),
        ("drop_in_price", service.price_type, cmd.drop_in_minor or 0),
    ):
        too_little = too_little_to_pay_online(price_type, price_minor, currency)
        if too_little is not None:
            wrong[name] = too_little
    return wrong


def _columns(cmd: SeriesCommand) -> dict[str, object]:
    is_free = cmd.price_type is SeriesPriceType.FREE
    until = cmd.join_until_on if cmd.join_policy is JoinPolicy.UNTIL else None
    return {
        "title": cmd.title.strip(),
        "description": cmd.description.strip(),
        "price_type": str(cmd.price_type),
        "price_minor": 0 if is_free else cmd.price_minor,
        "visibility": str(cmd.visibility),
        "join_policy": str(cmd.join_policy),
        "join_until_on": until,
        "gap_policy": str(cmd.gap_policy),
        "drop_in_allowed": cmd.drop_in_allowed,
        "drop_in_price_minor": cmd.drop_in_minor,
    }


async def _dates_in_term(uow: UnitOfWork, series_id: UUID) -> dict[UUID, bool]:
    """The series' sessions, each with whether it belongs to the published term."""
    found = await uow.session.execute(
        select(Session.id, Session.in_term).where(
            Session.tenant_id == uow.tenant, Session.series_id == series_id
        )
    )
    return {row.id: row.in_term for row in found}


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


async def _lock_dates(uow: UnitOfWork, session_ids: set[UUID]) -> None:
    """Waits for everybody who is claiming seats of these sessions, in the order all claims take.

    A statement of its own: what comes after sees the seats of those it has waited for.
    """
    if session_ids:
        await uow.session.execute(
            select(Session.id)
            .where(Session.tenant_id == uow.tenant, Session.id.in_(session_ids))
            .order_by(Session.id)
            .with_for_update(key_share=True)
        )


async def _attach(
    uow: UnitOfWork, series_id: UUID, service_id: UUID, session_ids: set[UUID], *, in_term: bool
) -> None:
    """Only upcoming sessions of the same service that are in no other series.

    One guarded update, so that a session which another series took meanwhile is noticed.
    """
    if not session_ids:
        return
    attached = await uow.session.scalars(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(sorted(session_ids)),
            Session.service_id == service_id,
            Session.series_id.is_(None),
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at > uow.clock.now(),
        )
        .values(series_id=series_id, in_term=in_term)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    if set(attached) != session_ids:
        sentence = _("Some of these sessions have started, are cancelled or in another series.")
        raise InvalidInput(sentence, fields={"session_ids": sentence})


async def _detach(uow: UnitOfWork, series_id: UUID, session_ids: set[UUID]) -> None:
    """A locked session with buyers of the series stays: they have paid for it."""
    if not session_ids:
        return
    sold = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id.in_(session_ids),
            Booking.series_id == series_id,
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
        )
    )
    if sold:
        sentence = _("A date that was sold with the series cannot be taken out; cancel it instead.")
        raise InvalidInput(sentence, fields={"session_ids": sentence})
    await uow.session.execute(
        update(Session)
        .where(Session.tenant_id == uow.tenant, Session.id.in_(sorted(session_ids)))
        .values(series_id=None, in_term=True)
        .execution_options(synchronize_session=False)
    )


async def _sessions_that_take_place(uow: UnitOfWork, series_id: UUID) -> int:
    count = await uow.session.scalar(
        select(func.count())
        .select_from(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.series_id == series_id,
            Session.state == str(SessionState.SCHEDULED),
        )
    )
    return count or 0
