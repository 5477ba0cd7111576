"""Bookings go with their customer; their seats go with the bookings."""

from typing import cast

from sqlalchemy import Table

from src.booking.models import Booking
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows


def register_bookings_of_customers() -> None:
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Booking.__table__),
            words=lambda count: ngettext("%(num)s booking", "%(num)s bookings", count),
        )
    )
