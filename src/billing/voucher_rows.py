"""Vouchers go with who bought them; who they are for is nobody's customer, and is named in them.

When a person is erased the money on their vouchers stays where it is, since whoever has the code
has it; names, addresses and what was written go.
"""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, func, select

from src.billing.models import Voucher, VoucherEntry
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.person_rows import Person, PersonRows, register_person_rows

_VOUCHERS = cast(Table, Voucher.__table__)
_ENTRIES = cast(Table, VoucherEntry.__table__)


def register_vouchers_of_customers() -> None:
    """Those that were bought, then those that somebody was given."""
    register_customer_rows(
        CustomerRows(
            table=_VOUCHERS,
            words=lambda count: ngettext("%(num)s voucher", "%(num)s vouchers", count),
            is_contended=True,
            shown=(
                *("id", "code", "state", "source", "currency", "initial_minor", "balance_minor"),
                *("expires_at", "recipient_name", "recipient_email", "message", "created_at"),
            ),
            erased=_of_nobody,
        )
    )
    register_person_rows(
        PersonRows(
            table=_VOUCHERS,
            name="vouchers_received",
            whose=_received,
            shown=("code", "currency", "balance_minor", "expires_at", "recipient_name", "message"),
            erased=_of_nobody,
        )
    )
    register_person_rows(
        PersonRows(
            table=_ENTRIES,
            whose=_entries,
            shown=("voucher_id", "kind", "amount_minor", "order_id", "reason", "at"),
            erased=lambda _person: {"reason": ""},
        )
    )


def _received(person: Person) -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.lower(_VOUCHERS.c.recipient_email).in_(person.addresses)
    return found


def _entries(person: Person) -> ColumnElement[bool]:
    bought = select(_VOUCHERS.c.id).where(
        _VOUCHERS.c.tenant_id == person.tenant_id,
        _VOUCHERS.c.customer_id.in_(person.customer_ids),
    )
    found: ColumnElement[bool] = _ENTRIES.c.voucher_id.in_(bought)
    return found


def _of_nobody(_person: Person) -> Mapping[str, Any]:
    return {"recipient_name": "", "recipient_email": "", "message": ""}
