"""Filling in a worksheet: saved to go on later, or sent.

All of it is kept or nothing: a refused answer or file leaves the copy as it was. What is saved of a
correction lies beside what was sent, and takes its place with the sending.
Source: docs/algorithms/worksheets.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, text, update

from src.booking.commands.worksheet_copies import OPEN, lock_copy
from src.booking.commands.worksheets import (
    find_newest_sheet,
    guest_erased,
    no_such_worksheet,
    taken_back,
)
from src.booking.domain.worksheet_answers import files_in, sheet_answer_errors, stored_answers
from src.booking.domain.worksheets import (
    CopyState,
    SheetKind,
    SheetQuestion,
    read_sheet_questions,
)
from src.booking.models import WorksheetCopy, WorksheetFile, WorksheetVersion
from src.booking.worksheet_files import file_error
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.web.uploads import UploadedFile
from src.tenants.commands.customers import keep_customers
from src.tenants.domain.entitlements import Entitlements, Limit

NEARLY_FULL_PERCENT = 80
"""From where on the room for files is said to run out, as that for bookings is."""
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
"""Who adds files to one business, so that their number is counted for one after the other."""


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest typed: `version_id` is what they were shown, `files` and `removed` are by the
    keys of their questions.
    """

    version_id: UUID | None
    typed: Mapping[str, Sequence[str]]
    files: Mapping[str, UploadedFile]
    removed: frozenset[str] = frozenset()
    is_sending: bool = True


async def fill_in(
    uow: UnitOfWork, may: Entitlements, copy_id: UUID, filling: Filling
) -> CopyState | None:
    """Keeps the answers, and returns how far the copy is; None where it had been sent before, which
    stays as it is. The customer is held, so that nothing is written for one who is being erased.

    Raises: NotFound; Gone for one that was taken back, and where nobody is left whose it is;
    InvalidInput at `answers.<key>`.
    """
    copy = await lock_copy(uow, copy_id)
    if copy.customer_id not in await keep_customers(uow, {copy.customer_id}):
        raise guest_erased()
    if copy.state == CopyState.TAKEN_BACK:
        raise taken_back()
    if copy.state not in OPEN:
        return None
    version = await version_to_fill(uow, copy, filling.version_id)
    questions = read_sheet_questions(version.questions)
    there = await _keys_of_files(uow, copy_id)
    seen = there if copy.draft is None else there & files_in(copy.draft)
    left = _files_left(questions, seen, filling)
    fields = file_errors(questions, filling.files)
    fields |= {
        name: sentence
        for name, sentence in sheet_answer_errors(
            questions, filling.typed, left, is_sending=filling.is_sending
        ).items()
        if name not in fields
    }
    if not fields:
        fields = await _too_many(uow, may, there, filling)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    is_draft = copy.state == CopyState.REOPENED and not filling.is_sending
    await _keep_files(uow, copy, left, filling.files, is_draft=is_draft)
    copy.version_id, copy.saved_at = version.id, uow.clock.now()
    answers = stored_answers(questions, filling.typed, left)
    if is_draft:
        copy.draft = answers
    else:
        copy.answers, copy.draft = answers, None
    copy.state = str(_state_after(copy, is_sending=filling.is_sending))
    if filling.is_sending:
        copy.sent_at = copy.saved_at
    await uow.session.flush()
    return CopyState(copy.state)


def _state_after(copy: WorksheetCopy, *, is_sending: bool) -> CopyState:
    if is_sending:
        return CopyState.SENT
    return CopyState.REOPENED if copy.state == CopyState.REOPENED else CopyState.BEGUN


async def version_to_fill(
    uow: UnitOfWork, copy: WorksheetCopy, shown_id: UUID | None = None
) -> WorksheetVersion:
    """What the copy is filled in by: once begun its own, else the one that was shown, or the newest
    where that is none of this worksheet's.

    Raises: NotFound.
    """
    own = await uow.session.get_one(WorksheetVersion, (uow.tenant, copy.version_id))
    if copy.state != CopyState.ASKED:
        return own
    if shown_id is not None:
        shown = await uow.session.get(WorksheetVersion, (uow.tenant, shown_id))
        if shown is not None and shown.worksheet_id == copy.worksheet_id:
            return shown
    newest = await find_newest_sheet(uow, copy.worksheet_id)
    if newest is None:
        raise no_such_worksheet()
    return newest


def file_errors(
    questions: Sequence[SheetQuestion], files: Mapping[str, UploadedFile]
) -> dict[str, str]:
    """Sentences by `answers.<key>` for the files that cannot be taken."""
    asked = {one.key for one in questions if one.kind is SheetKind.FILE}
    fields: dict[str, str] = {}
    for key, file in files.items():
        wrong = file_error(file) if key in asked else _("No file is asked for here.")
        if wrong is not None:
            fields[f"answers.{key}"] = wrong
    return fields


def _files_left(
    questions: Sequence[SheetQuestion], seen: frozenset[str], filling: Filling
) -> frozenset[str]:
    """The keys of the questions that have a file once this is kept."""
    asked = {one.key for one in questions if one.kind is SheetKind.FILE}
    return frozenset(((seen - filling.removed) | set(filling.files)) & asked)


async def _keys_of_files(uow: UnitOfWork, copy_id: UUID) -> frozenset[str]:
    """Of all that are kept, also those that a draft has taken off or exchanged."""
    found = await uow.session.scalars(
        select(WorksheetFile.key).where(
            WorksheetFile.tenant_id == uow.tenant, WorksheetFile.copy_id == copy_id
        )
    )
    return frozenset(found)


async def _too_many(
    uow: UnitOfWork, may: Entitlements, there: frozenset[str], filling: Filling
) -> dict[str, str]:
    """The sentences where the business may keep no more files; who only exchanges one needs no
    room. Guests read nothing of plans.
    """
    added = [key for key in filling.files if key not in there]
    limit = most_files(may)
    if not added or limit is None:
        return {}
    await uow.session.execute(_ONE_AT_A_TIME, {"what": f"worksheet files {uow.tenant}"})
    if await count_files(uow) + len(added) <= limit:
        return {}
    sentence = _("No file can be added at present. Please contact the business directly.")
    return {f"answers.{key}": sentence for key in added}


def most_files(may: Entitlements) -> int | None:
    """How many files a business may keep: as many as its plan has bookings a month."""
    return may.limit(Limit.BOOKINGS_PER_MONTH)


async def count_files(uow: UnitOfWork) -> int:
    found = await uow.session.scalar(
        select(func.count()).select_from(WorksheetFile).where(WorksheetFile.tenant_id == uow.tenant)
    )
    return found or 0


async def _keep_files(
    uow: UnitOfWork,
    copy: WorksheetCopy,
    left: frozenset[str],
    files: Mapping[str, UploadedFile],
    *,
    is_draft: bool,
) -> None:
    """Only those that are left, each as it was chosen last. A draft leaves those that were sent."""
    gone = WorksheetFile.key.not_in(left - set(files))
    await _drop_files(uow, copy, gone & WorksheetFile.is_draft if is_draft else gone)
    if copy.draft is not None and not is_draft:
        await _put_drafts_in_place(uow, copy)
    rows: list[Any] = [
        WorksheetFile(
            tenant_id=uow.tenant,
            id=new_id(),
            copy_id=copy.id,
            customer_id=copy.customer_id,
            key=key,
            is_draft=is_draft,
            filename=file.filename,
            content_type=file.content_type,
            size=len(file.content),
            content=file.content,
            added_at=uow.clock.now(),
        )
        for key, file in sorted(files.items())
    ]
    uow.session.add_all(rows)
    await uow.session.flush()


async def _put_drafts_in_place(uow: UnitOfWork, copy: WorksheetCopy) -> None:
    """Of the files that were sent, where the correction has another one."""
    of_copy = (WorksheetFile.tenant_id == uow.tenant, WorksheetFile.copy_id == copy.id)
    keys = select(WorksheetFile.key).where(*of_copy, WorksheetFile.is_draft)
    chosen = list(await uow.session.scalars(keys))
    await _drop_files(uow, copy, ~WorksheetFile.is_draft & WorksheetFile.key.in_(chosen))
    await uow.session.execute(
        update(WorksheetFile).where(*of_copy, WorksheetFile.is_draft).values(is_draft=False),
        execution_options={"synchronize_session": False},
    )


async def _drop_files(uow: UnitOfWork, copy: WorksheetCopy, which: ColumnElement[bool]) -> None:
    await uow.session.execute(
        delete(WorksheetFile).where(
            WorksheetFile.tenant_id == uow.tenant, WorksheetFile.copy_id == copy.id, which
        ),
        execution_options={"synchronize_session": False},
    )
