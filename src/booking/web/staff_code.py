"""A coupon's or a voucher's code in the form by which staff book: what it pays is seen first."""

from contextlib import suppress

import msgspec

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.commands.book import BookCommand, ask_quote
from src.booking.domain.quotes import Quote
from src.booking.errors import PriceChanged
from src.booking.queries.paying_with import takes_codes, voucher_line
from src.booking.views.customers import Verdict
from src.booking.views.guest import PriceLine
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, DomainError
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.formats import money
from src.tenants.context import RequestContext


class AppliedCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a code does to the price of what is about to be booked, and what is left to pay then,
    with the words for the way.
    """

    code: str
    price_minor: int
    line: PriceLine
    left_minor: int
    left_words: str


async def applied_code(
    services: Services, ctx: RequestContext, command: BookCommand
) -> AppliedCode | None:
    """As the command itself would judge it now; None where no code was typed.

    Raises: what `book` refuses with.
    """
    if not command.coupon:
        return None
    async with services.uow_factory(ctx.here.id) as uow:
        quote = await ask_quote(uow, ctx, msgspec.structs.replace(command, quoted_minor=None))
    return AppliedCode(
        code=command.coupon,
        price_minor=quote.full_minor,
        line=_line(quote, ctx.here.currency),
        left_minor=quote.to_pay_minor,
        left_words=_left_words(quote.payment_mode),
    )


async def applied_anew(
    services: Services, ctx: RequestContext, command: BookCommand, refusal: Conflict
) -> AppliedCode | None:
    """What the code pays by now, for who was shown that it pays otherwise."""
    if not isinstance(refusal, PriceChanged):
        return None
    with suppress(DomainError):
        return await applied_code(services, ctx, command)
    return None


async def asks_for_code(uow: UnitOfWork, ctx: RequestContext, verdict: Verdict | None) -> bool:
    """Whether there is a code that could pay for it, as guests are asked for one."""
    if verdict is None or not any([verdict.unit_minor, *(one[2] for one in verdict.prices)]):
        return False
    return await takes_codes(uow, ctx.here)


def paid_by_code(order: Order) -> str:
    """What the voucher paid of an order that was just made, and what is left; empty without one."""
    if not order.voucher_minor:
        return ""
    paid = money(order.voucher_minor, order.currency)
    left_minor = order.to_pay_minor
    if not left_minor:
        return _("The voucher pays all of it, %(amount)s.", amount=paid)
    left = money(left_minor, order.currency)
    if order.payment_mode == PaymentMode.ON_SITE:
        return _("The voucher pays %(paid)s; %(left)s are to pay on site.", paid=paid, left=left)
    return _("The voucher pays %(paid)s; %(left)s are to pay.", paid=paid, left=left)


def _line(quote: Quote, currency: str) -> PriceLine:
    if quote.voucher is not None:
        return voucher_line(quote.voucher, currency)
    code = quote.coupon.code if quote.coupon is not None else ""
    return (_("Code %(code)s", code=code), -quote.discount_minor, "")


def _left_words(mode: PaymentMode) -> str:
    words = {
        PaymentMode.ON_SITE: _("To pay on site"),
        PaymentMode.ONLINE: _("To pay by the link"),
        PaymentMode.TRANSFER: _("To pay by bank transfer"),
    }
    return words.get(mode, _("To pay"))
