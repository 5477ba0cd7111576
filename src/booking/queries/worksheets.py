"""A business's worksheets as its pages list them, with their copies."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import undefer

from src.billing.models import Order
from src.booking.commands.worksheet_copies import OPEN
from src.booking.commands.worksheets import content_of, no_such_worksheet
from src.booking.domain.worksheet_answers import SheetAnswer, read_answers
from src.booking.domain.worksheets import (
    CopyState,
    SheetKind,
    SheetQuestion,
    read_sheet_questions,
)
from src.booking.models import (
    Worksheet,
    WorksheetCopy,
    WorksheetFile,
    WorksheetNeed,
    WorksheetVersion,
)
from src.booking.queries.worksheet_needs import newest_sheets
from src.booking.views.worksheets import (
    AnswerRow,
    CopyRow,
    FileRow,
    WorksheetRow,
    WorksheetsWaiting,
)
from src.booking.worksheet_words import in_words, state_words
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.uploads import readable_size
from src.tenants.models import Customer

MOST_EXPORTED = 100_000
SENT = str(CopyState.SENT)


async def list_worksheets(uow: UnitOfWork) -> list[WorksheetRow]:
    """By title, those that are switched off last."""
    return await _rows(uow, Worksheet.tenant_id == uow.tenant)


async def get_worksheet_row(uow: UnitOfWork, worksheet_id: UUID) -> WorksheetRow:
    """Raises: NotFound."""
    found = await _rows(uow, Worksheet.id == worksheet_id)
    if not found:
        raise no_such_worksheet()
    return found[0]


async def _rows(uow: UnitOfWork, which: ColumnElement[bool]) -> list[WorksheetRow]:
    newest = newest_sheets(uow)
    found = await uow.session.execute(
        select(Worksheet, WorksheetVersion, *_counts())
        .outerjoin(newest, newest.c.worksheet_id == Worksheet.id)
        .outerjoin(
            WorksheetVersion,
            and_(
                WorksheetVersion.tenant_id == Worksheet.tenant_id,
                WorksheetVersion.id == newest.c.id,
            ),
        )
        .where(Worksheet.tenant_id == uow.tenant, which)
        .order_by(Worksheet.active.desc(), func.lower(Worksheet.title), Worksheet.id)
    )
    return [
        WorksheetRow(
            id=row.Worksheet.id,
            title=row.Worksheet.title,
            active=row.Worksheet.active,
            number=0 if row.WorksheetVersion is None else row.WorksheetVersion.number,
            published_at=None
            if row.WorksheetVersion is None
            else row.WorksheetVersion.published_at,
            is_changed=row.WorksheetVersion is None
            or content_of(row.Worksheet) != content_of(row.WorksheetVersion),
            sent=row.sent,
            waiting=row.waiting,
            asked_by=row.asked_by,
            questions=len(row.Worksheet.questions),
        )
        for row in found
    ]


def _counts() -> tuple[Any, ...]:
    """Of each worksheet how many copies were sent, how many wait, and what asks for it."""
    copies = select(func.count()).where(
        WorksheetCopy.tenant_id == Worksheet.tenant_id,
        WorksheetCopy.worksheet_id == Worksheet.id,
    )
    alive = and_(
        Customer.tenant_id == WorksheetCopy.tenant_id,
        Customer.id == WorksheetCopy.customer_id,
        Customer.erased_at.is_(None),
    )
    asked = select(func.count()).where(
        WorksheetNeed.tenant_id == Worksheet.tenant_id, WorksheetNeed.worksheet_id == Worksheet.id
    )
    waiting = copies.where(WorksheetCopy.state.in_(OPEN), alive)
    return (
        copies.where(WorksheetCopy.state == SENT)
        .correlate(Worksheet)
        .scalar_subquery()
        .label("sent"),
        waiting.correlate(Worksheet).scalar_subquery().label("waiting"),
        asked.correlate(Worksheet).scalar_subquery().label("asked_by"),
    )


async def list_sheet_versions(
    uow: UnitOfWork, worksheet_id: UUID
) -> list[tuple[int, datetime, str, int]]:
    """The newest first: number, when and by whom it was published, and how many were sent in it."""
    found = await uow.session.execute(
        select(
            WorksheetVersion.number,
            WorksheetVersion.published_at,
            WorksheetVersion.published_by,
            func.count(WorksheetCopy.id),
        )
        .outerjoin(
            WorksheetCopy,
            and_(
                WorksheetCopy.tenant_id == WorksheetVersion.tenant_id,
                WorksheetCopy.version_id == WorksheetVersion.id,
                WorksheetCopy.state == SENT,
            ),
        )
        .where(
            WorksheetVersion.tenant_id == uow.tenant,
            WorksheetVersion.worksheet_id == worksheet_id,
        )
        .group_by(WorksheetVersion.tenant_id, WorksheetVersion.id)
        .order_by(WorksheetVersion.number.desc())
    )
    return list(found.tuples())


async def count_begun(uow: UnitOfWork, worksheet_id: UUID) -> int:
    """How many copies were begun, or opened again: they stay in the version that they have."""
    found = await uow.session.scalar(
        select(func.count())
        .select_from(WorksheetCopy)
        .where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.worksheet_id == worksheet_id,
            WorksheetCopy.state.in_([str(CopyState.BEGUN), str(CopyState.REOPENED)]),
        )
    )
    return found or 0


async def list_copies_of_sheet(
    uow: UnitOfWork,
    worksheet_id: UUID,
    *,
    is_sent: bool,
    limit: int = MOST_EXPORTED,
    offset: int = 0,
) -> list[CopyRow]:
    """What was sent, the newest first, or else what waits, the oldest first and without those of
    whom nobody is left.
    """
    rows = _copies(uow).where(WorksheetCopy.worksheet_id == worksheet_id)
    if is_sent:
        rows = rows.where(WorksheetCopy.state == SENT)
        rows = rows.order_by(WorksheetCopy.sent_at.desc(), WorksheetCopy.id.desc())
    else:
        rows = rows.where(WorksheetCopy.state.in_(OPEN), Customer.erased_at.is_(None))
        rows = rows.order_by(WorksheetCopy.asked_at, WorksheetCopy.id)
    found = await uow.session.execute(rows.limit(limit).offset(offset))
    return [_copy(row) for row in found]


async def list_copies_of_customer(uow: UnitOfWork, customer_id: UUID) -> list[CopyRow]:
    """All of one customer's, what waits first and then the newest."""
    found = await uow.session.execute(
        _copies(uow)
        .where(WorksheetCopy.customer_id == customer_id)
        .order_by(
            (WorksheetCopy.state == SENT),
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
    items = [(one.title, f"{href}/{one.id}") for one in rows if not one.is_sent]
    return WorksheetsWaiting(items=items, href=href) if items else None


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


async def list_sheet_choices(uow: UnitOfWork) -> list[tuple[str, str]]:
    """What can be given: (id, title) of those that were published and are not switched off."""
    rows = await list_worksheets(uow)
    return [(str(one.id), one.title) for one in rows if one.number and one.active]


async def list_files(uow: UnitOfWork, copy_ids: Sequence[UUID]) -> dict[UUID, dict[str, FileRow]]:
    """By copy and question, without what is in them."""
    found = await uow.session.execute(
        select(
            WorksheetFile.copy_id,
            WorksheetFile.id,
            WorksheetFile.key,
            WorksheetFile.filename,
            WorksheetFile.size,
        ).where(WorksheetFile.tenant_id == uow.tenant, WorksheetFile.copy_id.in_(copy_ids))
    )
    files: dict[UUID, dict[str, FileRow]] = {}
    for copy_id, file_id, key, filename, size in found.tuples():
        row = FileRow(id=file_id, key=key, filename=filename, size=readable_size(size))
        files.setdefault(copy_id, {})[key] = row
    return files


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
        raise NotFound(_("There is no such file."))
    return row


def answer_rows(
    answers: Sequence[Any], files: dict[str, FileRow], questions: Sequence[SheetQuestion] = ()
) -> list[AnswerRow]:
    """The answers in words, in the order in which they were asked; of `questions` that nobody has
    answered too.
    """
    given = {one.key: one for one in read_answers(answers)}
    asked = [SheetAnswer(key=one.key, label=one.label, kind=one.kind) for one in questions]
    shown = [given.get(one.key, one) for one in asked] if asked else list(given.values())
    return [
        AnswerRow(
            label=one.label,
            answer=in_words(one),
            is_long=one.kind is SheetKind.LONG,
            file=files.get(one.key),
        )
        for one in shown
    ]


async def questions_of_version(uow: UnitOfWork, version_id: UUID) -> tuple[SheetQuestion, ...]:
    version = await uow.session.get_one(WorksheetVersion, (uow.tenant, version_id))
    return read_sheet_questions(version.questions)
