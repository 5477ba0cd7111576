"""Copies of worksheets go with their customer, and so do the files that were sent with them.

When a person is erased the answers are emptied and the files go; that this worksheet was filled in,
and when, stays. What was not sent ends, so that nobody can fill it in any more.
"""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Table, case, null, select

from src.booking.domain.worksheets import OPEN_COPIES, CopyState
from src.booking.models import WorksheetCopy, WorksheetFile, WorksheetVersion
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.person_rows import Person, PersonRows, nothing, register_person_rows


def register_worksheets_of_customers() -> None:
    register_customer_rows(
        CustomerRows(
            table=cast(Table, WorksheetFile.__table__),
            words=lambda count: ngettext("%(num)s file", "%(num)s files", count),
            shown=(
                "id",
                "copy_id",
                "key",
                "is_draft",
                "filename",
                "content_type",
                "size",
                "added_at",
            ),
            erased=None,
        )
    )
    register_customer_rows(
        CustomerRows(
            table=cast(Table, WorksheetCopy.__table__),
            words=lambda count: ngettext("%(num)s worksheet", "%(num)s worksheets", count),
            shown=(
                *("id", "version_id", "order_id", "state", "answers", "draft", "reopened_why"),
                *("given_by", "asked_at", "saved_at", "sent_at"),
            ),
            erased=_emptied_and_ended,
            is_contended=True,
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, WorksheetVersion.__table__),
            whose=lambda person: WorksheetVersion.id.in_(
                select(WorksheetCopy.version_id).where(
                    WorksheetCopy.tenant_id == person.tenant_id,
                    WorksheetCopy.customer_id.in_(person.customer_ids),
                )
            ),
            shown=("id", "number", "title", "introduction", "questions", "published_at"),
            erased=nothing,
        )
    )


def _emptied_and_ended(_person: Person) -> Mapping[str, Any]:
    """One that was opened again closes as it was sent."""
    state = WorksheetCopy.__table__.c.state
    ended = case(
        (state == CopyState.REOPENED, str(CopyState.SENT)),
        (state.in_([str(one) for one in OPEN_COPIES]), str(CopyState.TAKEN_BACK)),
        else_=state,
    )
    return {"answers": [], "draft": null(), "reopened_why": "", "state": ended}
