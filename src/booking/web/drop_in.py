"""/app/<slug>/sessions/<id>/drop-in: how one date of a series is sold alone."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.drop_in import set_drop_in
from src.booking.domain.drop_in import (
    DropInRules,
    PayWay,
    opens_at,
    price_of_date,
    ways_to_pay,
)
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.price_label import price
from src.booking.domain.price_tiers import open_tiers, read_tiers
from src.booking.queries.decide import Asked, business_now, decide
from src.booking.queries.drop_in import rules_kept, rules_of
from src.booking.queries.offers import SessionOffer, get_session_offer
from src.booking.queries.sessions import get_session_detail
from src.booking.queries.tiers import single_tiers
from src.booking.views.sessions import SessionDetail
from src.booking.web.drop_in_forms import (
    ALLOWED,
    Typed,
    drop_in_initial,
    read_drop_in,
    unit_choices,
    way_choices,
    way_words,
)
from src.booking.web.price_tier_forms import only_price_hint
from src.booking.web.roster import ONE
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
AnyRequest = Request[Any, Any, Any]


class DropInForm(msgspec.Struct, kw_only=True):
    """A date's own rules as they are typed."""

    allowed: Literal["series", "yes", "no"] = "series"
    drop_in_price: Typed = ""
    drop_in_opens_before: Typed = ""
    drop_in_opens_unit: BeforeUnit = BeforeUnit.DAYS
    drop_in_pays: list[PayWay] = msgspec.field(default_factory=list)


class Applies(msgspec.Struct, frozen=True):
    """One rule that holds now, in words, and where it comes from."""

    label: str
    value: str
    source: str


class DropInView(msgspec.Struct, frozen=True, kw_only=True):
    """The form with the session that it is about, and what holds as it is saved."""

    form: Any
    session: SessionDetail
    applies: list[Applies]
    base: str
    here: str
    zone: str
    currency: str
    allowed: list[tuple[str, str]]
    units: list[tuple[str, str]]
    ways: list[tuple[str, str]]
    price_hint: str


@get(ONE + "/drop-in", guards=MAY_EDIT, include_in_schema=False)
async def show_drop_in(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_session_offer(uow, session_id)
    own = rules_kept(offer.session)
    allowed = next(word for word, value in ALLOWED.items() if value is own.allowed)
    initial = {**drop_in_initial(own, ctx.here.currency), "allowed": allowed}
    return await _form(request, services, ctx, offer, blank(DropInForm, initial))


@post(ONE + "/drop-in", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_drop_in(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(DropInForm, await read_form(request))
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_session_offer(uow, session_id)
    form = bound.struct
    if form is None:
        return await _form(request, services, ctx, offer, bound)
    try:
        rules = _rules(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await set_drop_in(uow, ctx, session_id, rules)
        said = await _sold_now(services, ctx, offer, session_id)
    except InvalidInput as refused:
        return await _form(request, services, ctx, offer, bound.refused(refused))
    flash(request, "success", said)
    return redirect(request, f"/app/{ctx.here.slug}/sessions/{session_id}")


async def _sold_now(
    services: Services, ctx: RequestContext, before: SessionOffer, session_id: UUID
) -> str:
    """How the date is sold by now, as guests would find it; `before` is the date as it was."""
    now = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_session_offer(uow, session_id)
        business = await business_now(uow, ctx.here, now)
        asked = Asked(kind="session", subject_id=session_id)
        reasons = (await decide(uow, ctx.here, business, asked, now)).reasons
    if not rules_of(offer).allowed:
        if rules_of(before).allowed:
            return _("This date is no longer sold alone.")
        return _("This date is not sold alone.")
    if not reasons:
        return _("Single places of this date are sold like this from now on.")
    why = reasons[0].owner_sentence
    return _("Saved. Single places of this date cannot be booked now: %(why)s", why=why)


def _rules(form: DropInForm, currency: str) -> DropInRules:
    """Raises: InvalidInput at what cannot be read."""
    fields: dict[str, str] = {}
    rules = read_drop_in(form, currency, fields)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    return msgspec.structs.replace(rules, allowed=ALLOWED[form.allowed])


async def _form(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    offer: SessionOffer,
    form: Bound[DropInForm],
) -> Response[bytes]:
    if offer.series is None:
        raise NotFound(_("This session is in no series: it is sold at the price of its service."))
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, offer.session.id)
    base = f"/app/{ctx.here.slug}"
    as_series = _("As the series says: sold alone")
    not_as_series = _("As the series says: not sold alone")
    view = DropInView(
        form=form,
        session=session,
        applies=_applies(offer, ctx, to_local(services.clock.now(), ctx.here.zone).date()),
        base=base,
        here=f"{base}/sessions/{session.id}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        allowed=[
            ("series", as_series if offer.series.drop_in_allowed else not_as_series),
            ("yes", _("Sold alone")),
            ("no", _("Not sold alone")),
        ],
        units=unit_choices(),
        ways=way_choices(),
        price_hint=_price_hint(offer),
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(request, "booking/roster/drop_in.html", view, status_code=status_code)


def _price_hint(offer: SessionOffer) -> str:
    empty = _("Empty: as the series or the service says. 0: free.")
    return f"{empty} {only_price_hint(read_tiers(offer.service.price_tiers))}".strip()


def _applies(offer: SessionOffer, ctx: RequestContext, today: date) -> list[Applies]:
    """Rule by rule: what holds now, and whether it is the date's own, the series' or the
    service's.
    """
    own, rules, service = rules_kept(offer.session), rules_of(offer), offer.service
    service_type = SeriesPriceType(service.price_type)
    price_minor = price_of_date(rules, service_type, service.price_minor)
    others = [
        f"{tier.name} {price(tier.price_minor, ctx.here.currency)}"
        for tier in open_tiers(single_tiers(service, rules), today, by_staff=True)
    ]
    at = opens_at(rules, offer.session.starts_at, ctx.here.zone)
    ways = [way_words()[way] for way in ways_to_pay(rules, service_type)] if price_minor else []
    of_date, of_series, of_service = _("of this date"), _("from the series"), _("from the service")
    behind = of_series if rules.price_minor is not None else of_service
    price_from = behind if own.price_minor is None else of_date
    ways_from = of_date if own.pays else of_series if rules.pays else of_service
    return [
        Applies(
            _("Sold alone"),
            _("yes") if rules.allowed else _("no"),
            of_series if own.allowed is None else of_date,
        ),
        Applies(
            _("Price"),
            ", ".join([price(price_minor, ctx.here.currency), *others]),
            price_from,
        ),
        Applies(
            _("Opens"),
            _("at once") if at is None else datetime_local(at, ctx.here.zone),
            of_series if own.opens_before is None else of_date,
        ),
        Applies(
            _("Paid"),
            ", ".join(ways) or _("nothing to pay"),
            # Of what is free the price alone says that nothing is to be paid.
            ways_from if price_minor else price_from,
        ),
    ]


route_handlers: list[Any] = [show_drop_in, save_drop_in]
