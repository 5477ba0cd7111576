"""Orders go with their customer."""

from typing import cast

from sqlalchemy import Table

from src.billing.models import Order
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows


def register_orders_of_customers() -> None:
    """They are locked one by one elsewhere, and so before all else by a merge."""
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Order.__table__),
            words=lambda count: ngettext("%(num)s order", "%(num)s orders", count),
            is_contended=True,
        )
    )
