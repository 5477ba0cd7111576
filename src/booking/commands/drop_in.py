"""A date's own rules for being sold alone, and what is wrong with rules."""

from uuid import UUID

from sqlalchemy import update

from src.booking.commands.changes import changed_meanwhile
from src.booking.domain.drop_in import (
    DropInRules,
    PayWay,
    drop_in_errors,
    price_of_date,
    resolve,
    ways_to_pay,
)
from src.booking.domain.kinds import SeriesPriceType, SessionState
from src.booking.domain.online_prices import too_little_to_pay_online
from src.booking.domain.price_tiers import read_tiers
from src.booking.domain.service_rules import LARGEST_ORDER_MINOR
from src.booking.models import Service, Session
from src.booking.queries.drop_in import drop_in_columns, rules_kept
from src.booking.queries.offers import get_session_offer
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


async def set_drop_in(
    uow: UnitOfWork, ctx: RequestContext, session_id: UUID, rules: DropInRules
) -> None:
    """From now on the date is sold alone by these rules; empty ones are its series'. What is sold
    or in checkout keeps its price.

    Raises: NotFound; Conflict for one that is cancelled or in no series; InvalidInput.
    """
    offer = await get_session_offer(uow, session_id)
    session, series = offer.session, offer.series
    if session.state != SessionState.SCHEDULED:
        raise Conflict(_("This session is cancelled and stays as it was."), code="not_scheduled")
    if series is None:
        raise Conflict(
            _("This session is in no series: it is sold at the price of its service."),
            code="not_in_series",
        )
    fields = rules_errors(rules, rules_kept(series), offer.service, ctx.here.currency)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    said = {"title": session.title, **drop_in_columns(rules)}
    await audit(uow, ctx, "session.drop_in_set", "session", session_id, **said)
    await uow.settle()
    written = await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id == session_id,
            Session.series_id == series.id,
            Session.state == str(SessionState.SCHEDULED),
        )
        .values(**drop_in_columns(rules))
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    if written.first() is None:
        raise changed_meanwhile()


def rules_errors(
    own: DropInRules, series: DropInRules, service: Service, currency: str
) -> dict[str, str]:
    """Sentences by field about rules as they would hold together with those behind them."""
    wrong = drop_in_errors(own)
    held, service_type = resolve(own, series), SeriesPriceType(service.price_type)
    if own.price_minor is not None:
        wrong |= amount_errors("drop_in_price", own.price_minor, service)
    if own.price_minor and service_type is SeriesPriceType.FREE and not held.pays:
        wrong["drop_in_price"] = _(
            "The service is free, so please also say how a single date is paid."
        )
    if PayWay.ONLINE in ways_to_pay(held, service_type):
        for price_minor in _prices(held, service):
            too_little = too_little_to_pay_online("online", price_minor, currency)
            if too_little is not None:
                wrong.setdefault("drop_in_price", too_little)
    return wrong


def _prices(held: DropInRules, service: Service) -> list[int]:
    """All that a single entry can cost; the service's tiers hold where its price does."""
    service_type = SeriesPriceType(service.price_type)
    prices = [price_of_date(held, service_type, service.price_minor)]
    if held.price_minor is None:
        prices += [tier.price_minor for tier in read_tiers(service.price_tiers)]
    return prices


def amount_errors(field: str, amount_minor: int, service: Service) -> dict[str, str]:
    if amount_minor < 0:
        return {field: _("A price cannot be below zero.")}
    if amount_minor * max(service.max_party, 1) > LARGEST_ORDER_MINOR:
        return {field: _("This price is too high for a party of that size.")}
    return {}
