"""Guests' copies of worksheets with their answers and files, as pages list and show them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import undefer

from src.billing.models import Order
from src.booking.commands.worksheet_copies import OPEN
from src.booking.commands.worksheets import no_such_worksheet
from src.booking.domain.worksheet_answers import SheetAnswer, files_in, read_answers
from src.booking.domain.worksheets import (
    NEVER_SENT,
    READ_COPIES,
    CopyState,
    SheetKind,
    SheetQuestion,
)
from src.booking.models import WorksheetCopy, WorksheetFile, WorksheetVersion
from src.booking.views.worksheets import (
    AnswerRow,
    CopyRow,
    FileRow,
    SentAnswers,
    WorksheetsWaiting,
)
from src.booking.worksheet_words import in_words, state_words
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.uploads import readable_size
from src.tenants.models import Customer

MOST_EXPORTED = 100_000
WAS_SENT = tuple(sorted(str(state) for state in READ_COPIES))
WAITS = tuple(sorted(str(state) for state in NEVER_SENT))


async def list_copies_of_sheet(
    uow: UnitOfWork,
    worksheet_id: UUID,
    *,
    is_sent: bool,
    limit: int,
    offset: int = 0,
) -> list[CopyRow]:
    """What was sent, the newest first and with what is open again, or else what waits, the oldest
    first and without those of whom nobody is left.
    """
    if is_sent:
        rows = _sent(uow, worksheet_id)
    else:
        rows = _copies(uow).where(
            WorksheetCopy.worksheet_id == worksheet_id,
            WorksheetCopy.state.in_(WAITS),
            Customer.erased_at.is_(None),
        )
        rows = rows.order_by(WorksheetCopy.asked_at, WorksheetCopy.id)
    found = await uow.session.execute(rows.limit(limit).offset(offset))
    return [_copy(row) for row in found]


def _sent(uow: UnitOfWork, worksheet_id: UUID) -> Select[Any]:
    return (
        _copies(uow)
        .where(WorksheetCopy.worksheet_id == worksheet_id, WorksheetCopy.state.in_(WAS_SENT))
        .order_by(WorksheetCopy.sent_at.desc(), WorksheetCopy.id.desc())
    )


async def list_sent_answers(uow: UnitOfWork, worksheet_id: UUID) -> list[SentAnswers]:
    """What was sent with what was answered, the newest first."""
    found = await uow.session.execute(_sent(uow, worksheet_id).limit(MOST_EXPORTED))
    return [SentAnswers(row=_copy(row), answers=row.WorksheetCopy.answers) for row in found]


async def list_copies_of_customer(uow: UnitOfWork, customer_id: UUID) -> list[CopyRow]:
    """All of one customer's, what waits first and then the newest; those taken back among them."""
    found = await uow.session.execute(
        _copies(uow)
        .where(WorksheetCopy.customer_id == customer_id)
        .order_by(
            WorksheetCopy.state.not_in(OPEN),
            WorksheetCopy.asked_at.desc(),
            WorksheetCopy.id.desc(),
        )
    )
    return [_copy(row) for row in found]


async def find_sheets_waiting(
    uow: UnitOfWork, customer_id: UUID, href: str
) -> WorksheetsWaiting | None:
    """What this customer is still to fill in; None where nothing is."""
    rows = await list_copies_of_customer(uow, customer_id)
    items = [(one.title, f"{href}/{one.id}") for one in rows if one.is_open]
    return WorksheetsWaiting(items=items, href=href) if items else None


async def list_taken_back(uow: UnitOfWork, order_id: UUID) -> set[UUID]:
    """The worksheets that this order had asked for and staff have taken back."""
    found = await uow.session.scalars(
        select(WorksheetCopy.worksheet_id).where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.order_id == order_id,
            WorksheetCopy.state == str(CopyState.TAKEN_BACK),
        )
    )
    return set(found)


async def get_copy_row(uow: UnitOfWork, copy_id: UUID) -> CopyRow:
    """Raises: NotFound."""
    row = (await uow.session.execute(_copies(uow).where(WorksheetCopy.id == copy_id))).one_or_none()
    if row is None:
        raise no_such_worksheet()
    return _copy(row)


async def get_copy(uow: UnitOfWork, copy_id: UUID) -> WorksheetCopy:
    """Raises: NotFound."""
    row = await uow.session.get(WorksheetCopy, (uow.tenant, copy_id))
    if row is None:
        raise no_such_worksheet()
    return row


def _copies(uow: UnitOfWork) -> Select[Any]:
    return (
        select(
            WorksheetCopy,
            WorksheetVersion.title,
            WorksheetVersion.number,
            Customer.name.label("customer_name"),
            func.coalesce(Customer.email, "").label("email"),
            Customer.erased_at,
            func.coalesce(Order.reference, "").label("reference"),
        )
        .join(
            WorksheetVersion,
            and_(
                WorksheetVersion.tenant_id == WorksheetCopy.tenant_id,
                WorksheetVersion.id == WorksheetCopy.version_id,
            ),
        )
        .join(
            Customer,
            and_(
                Customer.tenant_id == WorksheetCopy.tenant_id,
                Customer.id == WorksheetCopy.customer_id,
            ),
        )
        .outerjoin(
            Order,
            and_(Order.tenant_id == WorksheetCopy.tenant_id, Order.id == WorksheetCopy.order_id),
        )
        .where(WorksheetCopy.tenant_id == uow.tenant)
    )


def _copy(row: Any) -> CopyRow:
    one = row.WorksheetCopy
    return CopyRow(
        id=one.id,
        worksheet_id=one.worksheet_id,
        title=row.title,
        number=row.number,
        customer_id=one.customer_id,
        customer_name=row.customer_name,
        email=row.email,
        state=one.state,
        said=state_words(one.state),
        asked_at=one.asked_at,
        sent_at=one.sent_at,
        given_by=one.given_by,
        order_id=one.order_id,
        reference=row.reference,
        is_erased=row.erased_at is not None,
    )


async def list_files(uow: UnitOfWork, copy_id: UUID) -> dict[str, FileRow]:
    """Of one copy as it was sent, by question and without what is in them."""
    which = (WorksheetFile.copy_id == copy_id) & ~WorksheetFile.is_draft
    return (await _files(uow, which)).get(copy_id, {})


async def list_own_files(uow: UnitOfWork, copy: WorksheetCopy) -> dict[str, FileRow]:
    """The same as its guest left them: those of a draft stand in for what was sent."""
    sent = await list_files(uow, copy.id)
    if copy.draft is None:
        return sent
    which = (WorksheetFile.copy_id == copy.id) & WorksheetFile.is_draft
    chosen = (await _files(uow, which)).get(copy.id, {})
    left = files_in(copy.draft)
    return {key: row for key, row in (sent | chosen).items() if key in left}


async def list_files_of_sheet(
    uow: UnitOfWork, worksheet_id: UUID
) -> dict[UUID, dict[str, FileRow]]:
    """Of all copies as they were sent, by copy and question."""
    copies = select(WorksheetCopy.id).where(
        WorksheetCopy.tenant_id == uow.tenant, WorksheetCopy.worksheet_id == worksheet_id
    )
    return await _files(uow, WorksheetFile.copy_id.in_(copies) & ~WorksheetFile.is_draft)


async def _files(uow: UnitOfWork, which: ColumnElement[bool]) -> dict[UUID, dict[str, FileRow]]:
    found = await uow.session.execute(
        select(
            WorksheetFile.copy_id,
            WorksheetFile.id,
            WorksheetFile.key,
            WorksheetFile.filename,
            WorksheetFile.size,
        ).where(WorksheetFile.tenant_id == uow.tenant, which)
    )
    files: dict[UUID, dict[str, FileRow]] = {}
    for copy_id, file_id, key, filename, size in found.tuples():
        row = FileRow(id=file_id, key=key, filename=filename, size=readable_size(size))
        files.setdefault(copy_id, {})[key] = row
    return files


async def count_files_of(uow: UnitOfWork, customer_id: UUID) -> int:
    found = await uow.session.scalar(
        select(func.count())
        .select_from(WorksheetFile)
        .where(WorksheetFile.tenant_id == uow.tenant, WorksheetFile.customer_id == customer_id)
    )
    return found or 0


async def get_file(uow: UnitOfWork, copy_id: UUID, file_id: UUID) -> WorksheetFile:
    """With what is in it. Raises: NotFound, for another copy's too."""
    row: WorksheetFile | None = await uow.session.scalar(
        select(WorksheetFile)
        .where(
            WorksheetFile.tenant_id == uow.tenant,
            WorksheetFile.copy_id == copy_id,
            WorksheetFile.id == file_id,
        )
        .options(undefer(WorksheetFile.content))
    )
    if row is None:
        raise no_such_file()
    return row


def no_such_file() -> NotFound:
    return NotFound(_("There is no such file."))


def answer_rows(
    answers: Sequence[Any], files: dict[str, FileRow], questions: Sequence[SheetQuestion] = ()
) -> list[AnswerRow]:
    """The answers in words, in the order in which they were asked; of `questions` that nobody has
    answered too. Of a file that was sent and is there no more it says that.
    """
    given = {one.key: one for one in read_answers(answers)}
    asked = [SheetAnswer(key=one.key, label=one.label, kind=one.kind) for one in questions]
    shown = [given.get(one.key, one) for one in asked] if asked else list(given.values())
    return [
        AnswerRow(
            label=one.label,
            answer=_deleted() if _lost_file(one, given, files) else in_words(one),
            is_long=one.kind is SheetKind.LONG,
            file=files.get(one.key),
        )
        for one in shown
    ]


def _lost_file(
    one: SheetAnswer, given: Mapping[str, SheetAnswer], files: Mapping[str, FileRow]
) -> bool:
    return one.kind is SheetKind.FILE and one.key in given and one.key not in files


def _deleted() -> str:
    return _("The file was deleted by the business.")
