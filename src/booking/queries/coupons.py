"""What a coupon does to the price of a session or a series."""

from dataclasses import replace
from uuid import UUID

from src.billing.domain.coupons import Purchase, guest_sentence
from src.billing.queries.coupon_use import CouponAsked, CouponJudged, judge_coupon
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.quotes import Quote
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.tenants.context import TenantSnapshot


def purchase_of(quote: Quote, currency: str) -> Purchase:
    """A single date counts as its service, also where it is one of a series."""
    subject_ids = {quote.service_id}
    if quote.kind == "series":
        subject_ids.add(quote.subject_id)
    return Purchase(
        total_minor=quote.full_minor,
        currency=currency,
        pays_online=quote.price_type is SeriesPriceType.ONLINE,
        subject_ids=frozenset(subject_ids),
    )


async def judge_for_quote(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    quote: Quote,
    code: str,
    email: str = "",
    *,
    without_order: UUID | None = None,
) -> CouponJudged:
    """Whether the code may be used for what is quoted, by whoever has that address."""
    asked = CouponAsked(
        code=code,
        purchase=purchase_of(quote, tenant.currency),
        email=email,
        without_order=without_order,
    )
    return await judge_coupon(uow, tenant, asked)


async def priced_with_coupon(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    quote: Quote,
    code: str,
    email: str,
    *,
    without_order: UUID | None = None,
) -> Quote:
    """The quote less what the coupon takes off, or as it is where no code was given.

    Raises: InvalidInput at `coupon`, in a sentence that tells a stranger nothing.
    """
    if not code.strip():
        return quote
    judged = await judge_for_quote(uow, tenant, quote, code, email, without_order=without_order)
    if judged.reasons:
        sentence = guest_sentence(judged.reasons)
        raise InvalidInput(sentence, fields={"coupon": sentence})
    return replace(quote, coupon=judged.applied)
