"""Whether a business sells at all, as a stranger may know it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from src.booking.domain.drop_in import STRANGERS_WAYS, PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.reasons import not_at_present, opens_soon
from src.booking.domain.seats_told import SeatsTold, seats_told
from src.booking.queries.on_sale import OnSale
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every offer of a business at one moment.

    `notice` is why nothing, or nothing for money, can be booked; `is_open` and `takes_money` say
    which of the two.
    """

    tenant: TenantSnapshot
    now: datetime
    notice: str | None
    is_open: bool
    takes_money: bool

    @property
    def path(self) -> str:
        return f"/b/{self.tenant.slug}"

    @property
    def may_sell(self) -> bool:
        """Anything at all, also in a month whose bookings are used up."""
        return self.tenant.is_confirmed and self.tenant.status.sells

    def seats_told(self, left: int, capacity: int) -> SeatsTold:
        """What guests read of it."""
        return seats_told(left, capacity, self.tenant.seats_told_up_to)

    def sells(self, price_type: str, price_minor: int) -> bool:
        """Whether something at this price can be paid for just now."""
        for_money = price_type == SeriesPriceType.ONLINE and price_minor > 0
        return self.is_open and (self.takes_money or not for_money)

    def sells_by(self, ways: Sequence[PayWay], price_minor: int) -> bool:
        """Whether it can be paid in one of these ways just now, or there is nothing to pay."""
        if price_minor == 0:
            return self.is_open
        return any(self.sells(way, price_minor) for way in ways if way in STRANGERS_WAYS)


def shop_of(tenant: TenantSnapshot, on_sale: OnSale, now: datetime) -> Shop:
    """What a stranger may know of why a business does not sell."""
    notice = None
    if not tenant.is_confirmed:
        notice = opens_soon()
    elif not tenant.status.sells or on_sale.month_is_used_up:
        notice = not_at_present()
    is_open = notice is None
    if is_open and not tenant.payments_ready and _needs_money(on_sale):
        notice = _("Online payment is not possible at present. Please contact the business.")
    return Shop(
        tenant=tenant,
        now=now,
        notice=notice,
        is_open=is_open,
        takes_money=tenant.payments_ready,
    )


def _needs_money(on_sale: OnSale) -> bool:
    singles = (row.needs_money for row in on_sale.services)
    series = (o.row.price_type == "online" and o.row.price_minor > 0 for o in on_sale.series)
    return any(singles) or any(series) or any(row.needs_money for row in on_sale.appointments)
