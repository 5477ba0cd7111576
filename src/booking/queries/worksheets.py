"""A business's worksheets as its pages list them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from src.booking.commands.worksheets import content_of, no_such_worksheet
from src.booking.domain.worksheets import CopyState, SheetQuestion, read_sheet_questions
from src.booking.models import Worksheet, WorksheetCopy, WorksheetNeed, WorksheetVersion
from src.booking.queries.worksheet_copies import WAITS, WAS_SENT
from src.booking.queries.worksheet_needs import newest_sheets
from src.booking.views.worksheets import WorksheetRow
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer


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
    """Of each worksheet how many copies were sent, with those that are open again, how many wait
    to be, and what asks for it.
    """
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
    waiting = copies.where(WorksheetCopy.state.in_(WAITS), alive)
    return (
        copies.where(WorksheetCopy.state.in_(WAS_SENT))
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
                WorksheetCopy.state.in_(WAS_SENT),
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


async def list_asked_questions(
    uow: UnitOfWork, worksheet_id: UUID, numbers: Collection[int]
) -> list[SheetQuestion]:
    """What these versions ask, each question once as the newest of them has it: those of the newest
    come first.
    """
    found = await uow.session.scalars(
        select(WorksheetVersion.questions)
        .where(
            WorksheetVersion.tenant_id == uow.tenant,
            WorksheetVersion.worksheet_id == worksheet_id,
            WorksheetVersion.number.in_(numbers),
        )
        .order_by(WorksheetVersion.number.desc())
    )
    asked: dict[str, SheetQuestion] = {}
    for questions in found:
        for one in read_sheet_questions(questions):
            asked.setdefault(one.key, one)
    return list(asked.values())


async def list_sheet_choices(uow: UnitOfWork) -> list[tuple[str, str]]:
    """What can be given: (id, title) of those that were published and are not switched off."""
    rows = await list_worksheets(uow)
    return [(str(one.id), one.title) for one in rows if one.number and one.active]


async def questions_of_version(uow: UnitOfWork, version_id: UUID) -> tuple[SheetQuestion, ...]:
    version = await uow.session.get_one(WorksheetVersion, (uow.tenant, version_id))
    return read_sheet_questions(version.questions)
