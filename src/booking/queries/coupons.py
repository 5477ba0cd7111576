"""What a code does: a coupon to a price, a voucher to what is left to pay of it."""

from dataclasses import replace
from uuid import UUID

from src.billing.domain.coupons import Purchase
from src.billing.domain.vouchers import AppliedVoucher
from src.billing.queries.coupon_use import CouponAsked, CouponJudged, judge_coupon, why_no_code
from src.billing.queries.voucher_use import VoucherAsked, find_usable_voucher
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


def was_quoted(judged: CouponJudged, quote: Quote, quoted_minor: int | None) -> bool:
    """Whether what the guest was shown that is to pay is the price with a used up coupon."""
    spent = judged.used_up
    return spent is not None and quoted_minor == replace(quote, coupon=spent).to_pay_minor


async def find_voucher(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    quote: Quote,
    code: str,
    *,
    without_order: UUID | None = None,
) -> AppliedVoucher | None:
    """The voucher that the code may be of, and what of the price it pays."""
    asked = VoucherAsked(
        code=code,
        total_minor=quote.total_minor,
        pays_online=quote.price_type is SeriesPriceType.ONLINE,
        without_order=without_order,
    )
    return await find_usable_voucher(uow, tenant, asked)


async def priced_with_coupon(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    quote: Quote,
    code: str,
    email: str,
    quoted_minor: int | None,
    *,
    without_order: UUID | None = None,
) -> Quote:
    """The quote less what the coupon takes off, or with the voucher that pays for a part of it, or
    as it is where no code was given. `quoted_minor` is what the guest was shown that is to pay.

    Raises: InvalidInput at `coupon`, in a sentence for strangers.
    """
    if not code.strip():
        return quote
    judged = await judge_for_quote(uow, tenant, quote, code, email, without_order=without_order)
    if judged.coupon is None:
        voucher = await find_voucher(uow, tenant, quote, code, without_order=without_order)
        if voucher is not None:
            return replace(quote, voucher=voucher)
    if judged.reasons:
        knows = was_quoted(judged, quote, quoted_minor)
        sentence = await why_no_code(uow, judged, code, was_quoted=knows)
        raise InvalidInput(sentence, fields={"coupon": sentence})
    return replace(quote, coupon=judged.applied)
