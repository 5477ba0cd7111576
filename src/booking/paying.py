"""How something was paid, as far as it matters to who leaves it."""

from typing import Literal

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType

Paying = SeriesPriceType | Literal[PayWay.CREDIT]
"""What credits pay has no price, and is not free: the credit may be lost."""


def paying_of(order: Order) -> Paying:
    """Of what was taken on site the same comes back as of what a card paid, and nothing of it is
    owed any more. Where a voucher alone has paid a part, the rest still is.
    """
    if order.payment_mode == PaymentMode.CREDIT:
        return PayWay.CREDIT
    if not order.total_minor:
        return SeriesPriceType.FREE
    # Staff take all that is owed on site at once.
    is_paid = order.paid_minor > (order.voucher_minor or 0) or order.paid_minor >= order.total_minor
    is_owed = order.payment_mode == PaymentMode.ON_SITE and not is_paid
    return SeriesPriceType.ON_SITE if is_owed else SeriesPriceType.ONLINE
