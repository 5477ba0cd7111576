"""A customer's own row, and what this package keeps under it."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Table

from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.models import Customer, CustomerNote, CustomerTag, Participant
from src.tenants.person_rows import Person, PersonRows, register_person_rows

_CUSTOMERS = cast(Table, Customer.__table__)


def register_own_customer_rows() -> None:
    """Participants and notes are moved by a merge, which merges tags word by word."""
    register_person_rows(
        PersonRows(
            table=_CUSTOMERS,
            whose=lambda person: _CUSTOMERS.c.id.in_(person.customer_ids),
            shown=(
                "id",
                "name",
                "email",
                "phone",
                "is_established",
                "created_at",
                "merged_into",
                "locale",
            ),
            erased=_nobody,
        )
    )
    register_person_rows(
        PersonRows(table=cast(Table, CustomerTag.__table__), shown=("word",), erased=None)
    )
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Participant.__table__),
            words=lambda count: ngettext("%(num)s participant", "%(num)s participants", count),
            shown=("id", "name", "note"),
            erased=lambda _person: {"name": "", "note": "", "kept_at": None},
        )
    )
    register_customer_rows(
        CustomerRows(
            table=cast(Table, CustomerNote.__table__),
            words=lambda count: ngettext("%(num)s note", "%(num)s notes", count),
            shown=("text", "author_name", "created_at"),
            erased=None,
        )
    )


def _nobody(person: Person) -> Mapping[str, Any]:
    return {
        "name": person.called,
        "email": None,
        "phone": "",
        "locale": None,
        "erased_at": person.at,
    }
