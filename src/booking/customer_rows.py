"""Bookings go with their customer; their seats go with the bookings.

Calendar feeds end on both sides: neither address was asked whether the other one's dates are its
own. Who is left asks for a new one, by a mail to the address that they keep.
"""

from typing import cast
from uuid import UUID

from sqlalchemy import Table

from src.booking.commands.feeds import revoke_customer_feed
from src.booking.models import Booking, CalendarFeed
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows


class FeedsThatEnd(CustomerRows):
    """A customer's feeds when they are merged. Nothing that counts as theirs goes over."""

    async def count(self, uow: UnitOfWork, customer_id: UUID) -> int:
        return 0

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        """Ends both customers' feeds, so that neither shows what the other has booked."""
        await revoke_customer_feed(uow, [gone_id, kept_id])
        return await super().move(uow, gone_id, kept_id)


def register_bookings_of_customers() -> None:
    register_customer_rows(
        FeedsThatEnd(
            table=cast(Table, CalendarFeed.__table__),
            words=lambda count: ngettext("%(num)s calendar", "%(num)s calendars", count),
        )
    )
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Booking.__table__),
            words=lambda count: ngettext("%(num)s booking", "%(num)s bookings", count),
        )
    )
