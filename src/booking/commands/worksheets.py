"""Worksheets as their owner writes and publishes them.

What was published stays as it is, and so do the answers to it.
Source: docs/algorithms/worksheets.md.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from src.booking.domain.agreements import as_shown
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.domain.worksheets import (
    SheetContent,
    SheetQuestion,
    WorksheetDraft,
    all_together_errors,
    cleaned,
    moved,
    read_sheet_questions,
    sheet_errors,
    sheet_question_errors,
    stored_questions,
)
from src.booking.models import Worksheet, WorksheetNeed, WorksheetVersion
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Gone, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

NOTHING_NEW = "nothing_new"
NO_QUESTIONS = "no_questions"
Questions = tuple[SheetQuestion, ...]


async def create_worksheet(uow: UnitOfWork, worksheet_id: UUID, draft: WorksheetDraft) -> None:
    """Writes it down, with no question yet; nobody is asked for it before it is published. The same
    id again makes no second one.

    Raises: InvalidInput.
    """
    if await uow.session.get(Worksheet, (uow.tenant, worksheet_id)) is not None:
        return
    _check(draft)
    now = uow.clock.now()
    uow.session.add(
        Worksheet(
            tenant_id=uow.tenant,
            id=worksheet_id,
            title=draft.title.strip(),
            introduction=as_shown(draft.introduction),
            questions=[],
            rule=str(draft.rule),
            created_at=now,
            updated_at=now,
        )
    )
    await uow.session.flush()


async def change_worksheet(
    uow: UnitOfWork, worksheet_id: UUID, draft: WorksheetDraft, seen: str = ""
) -> None:
    """Changes what stands above the questions; guests see it once it is published. How often the
    same customer is asked holds from now on. `seen` is the mark of what the editor was shown.

    Raises: NotFound, InvalidInput; Conflict where somebody has changed it meanwhile.
    """
    row = await lock_worksheet(uow, worksheet_id)
    wanted = msgspec.structs.replace(
        draft, title=draft.title.strip(), introduction=as_shown(draft.introduction)
    )
    if wanted == draft_of_worksheet(row):
        return
    if seen and seen != mark_of(draft_of_worksheet(row)):
        raise changed_since_seen()
    _check(wanted)
    row.title, row.introduction = wanted.title, wanted.introduction
    row.rule, row.updated_at = str(wanted.rule), uow.clock.now()
    await uow.session.flush()


def draft_of_worksheet(row: Worksheet) -> WorksheetDraft:
    return msgspec.convert(
        {"title": row.title, "introduction": row.introduction, "rule": row.rule}, WorksheetDraft
    )


def content_of(row: Worksheet | WorksheetVersion) -> SheetContent:
    """What guests read, of the draft or of a version."""
    return SheetContent(
        title=row.title,
        introduction=row.introduction,
        questions=read_sheet_questions(row.questions),
    )


async def add_question(uow: UnitOfWork, worksheet_id: UUID, question: SheetQuestion) -> None:
    """Puts it at the end of the draft; the same key again adds no second one.

    Raises: NotFound, InvalidInput.
    """
    row = await lock_worksheet(uow, worksheet_id)
    known = read_sheet_questions(row.questions)
    if any(one.key == question.key for one in known):
        return
    await _keep_questions(uow, row, (*known, _checked(question)))


async def change_question(
    uow: UnitOfWork, worksheet_id: UUID, question: SheetQuestion, seen: str = ""
) -> None:
    """Changes one of the draft's. `seen` is the mark of what the editor was shown.

    Raises: NotFound, InvalidInput; Conflict where somebody has changed it meanwhile.
    """
    row = await lock_worksheet(uow, worksheet_id)
    former, wanted = question_of(row, question.key), _checked(question)
    if former == wanted:
        return
    if seen and seen != mark_of(former):
        raise changed_since_seen()
    known = read_sheet_questions(row.questions)
    changed = tuple(wanted if one.key == wanted.key else one for one in known)
    await _keep_questions(uow, row, changed)


async def move_question(uow: UnitOfWork, worksheet_id: UUID, key: str, *, up: bool) -> None:
    """One place further up or down. Raises: NotFound."""
    await _arrange(uow, worksheet_id, key, lambda known: moved(known, key, up=up))


async def take_question_off(uow: UnitOfWork, worksheet_id: UUID, key: str) -> None:
    """Asks it no more from the next version on; answers to it stay. Raises: NotFound."""
    await _arrange(
        uow, worksheet_id, key, lambda known: tuple(one for one in known if one.key != key)
    )


async def _arrange(
    uow: UnitOfWork, worksheet_id: UUID, key: str, how: Callable[[Questions], Questions]
) -> None:
    row = await lock_worksheet(uow, worksheet_id)
    question_of(row, key)
    await _keep_questions(uow, row, how(read_sheet_questions(row.questions)))


def question_of(row: Worksheet, key: str) -> SheetQuestion:
    """Raises: NotFound."""
    for one in read_sheet_questions(row.questions):
        if one.key == key:
            return one
    raise NotFound(_("This question is not asked any more."))


async def _keep_questions(uow: UnitOfWork, row: Worksheet, questions: Questions) -> None:
    """Raises: InvalidInput."""
    fields = all_together_errors(questions)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    row.questions, row.updated_at = stored_questions(questions), uow.clock.now()
    await uow.session.flush()


def _checked(question: SheetQuestion) -> SheetQuestion:
    """Raises: InvalidInput."""
    wanted = cleaned(question)
    fields = sheet_question_errors(wanted)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    return wanted


async def publish_worksheet(
    uow: UnitOfWork, ctx: RequestContext, worksheet_id: UUID, shown: str
) -> int:
    """Makes the draft the version that is given from now on, and returns its number. `shown` is the
    mark of what whoever publishes has read. Copies that were begun stay in their version, and who
    has booked before the first one is asked for nothing.

    Raises: NotFound; Conflict, with the code `nothing_new` where it is the version that holds,
    `no_questions` where nothing is asked, and else where the draft is not what was shown.
    """
    row = await lock_worksheet(uow, worksheet_id)
    newest, content = await find_newest_sheet(uow, worksheet_id), content_of(row)
    if not content.questions:
        raise Conflict(_("Add a question first: nothing is asked yet."), code=NO_QUESTIONS)
    if newest is not None and content_of(newest) == content:
        sentence = _(
            "Nothing differs from version %(number)s, so there is nothing to publish.",
            number=newest.number,
        )
        raise Conflict(sentence, code=NOTHING_NEW)
    if shown != mark_of(content):
        raise changed_since_seen()
    number = 1 if newest is None else newest.number + 1
    row.updated_at = uow.clock.now()
    uow.session.add(
        WorksheetVersion(
            tenant_id=uow.tenant,
            id=new_id(),
            worksheet_id=worksheet_id,
            number=number,
            title=row.title,
            introduction=row.introduction,
            questions=row.questions,
            published_at=row.updated_at,
            published_by=ctx.actor.name,
        )
    )
    if newest is None:
        await _ask_from_now_on(uow, worksheet_id)
    subject = ("worksheet.published", "worksheet", worksheet_id)
    await audit(uow, ctx, *subject, name=row.title, version=number)
    await uow.session.flush()
    return number


async def set_worksheet_active(
    uow: UnitOfWork, ctx: RequestContext, worksheet_id: UUID, *, active: bool
) -> str:
    """Whether offerings ask for it; what was given stays, and can be filled in. What was booked
    while it was off does not ask for it afterwards. Returns its title.

    Raises: NotFound.
    """
    row = await lock_worksheet(uow, worksheet_id)
    if row.active != active:
        row.active, row.updated_at = active, uow.clock.now()
        if active:
            await _ask_from_now_on(uow, worksheet_id)
        done = "worksheet.switched_on" if active else "worksheet.switched_off"
        await audit(uow, ctx, done, "worksheet", worksheet_id, name=row.title)
    return row.title


async def _ask_from_now_on(uow: UnitOfWork, worksheet_id: UUID) -> None:
    """What asks for it asks nobody who has booked before."""
    await uow.session.execute(
        update(WorksheetNeed)
        .where(WorksheetNeed.tenant_id == uow.tenant, WorksheetNeed.worksheet_id == worksheet_id)
        .values(since=uow.clock.now())
        .execution_options(synchronize_session=False)
    )


async def get_worksheet(uow: UnitOfWork, worksheet_id: UUID) -> Worksheet:
    """Raises: NotFound."""
    row = await uow.session.get(Worksheet, (uow.tenant, worksheet_id))
    if row is None:
        raise no_such_worksheet()
    return row


def no_such_worksheet() -> NotFound:
    return NotFound(_("There is no such worksheet."))


def taken_back() -> Gone:
    return Gone(_("This worksheet was taken back: there is nothing to fill in any more."))


def guest_erased() -> Gone:
    return Gone(
        _("This link is not valid any more: what was kept about its guest was erased."),
        code="link_replaced",
    )


async def find_newest_sheet(uow: UnitOfWork, worksheet_id: UUID) -> WorksheetVersion | None:
    """The one that is given; None before the first is published."""
    found: WorksheetVersion | None = await uow.session.scalar(
        select(WorksheetVersion)
        .where(
            WorksheetVersion.tenant_id == uow.tenant,
            WorksheetVersion.worksheet_id == worksheet_id,
        )
        .order_by(WorksheetVersion.number.desc())
        .limit(1)
    )
    return found


async def lock_worksheet(uow: UnitOfWork, worksheet_id: UUID) -> Worksheet:
    """Against whoever else changes it; what merely refers to it is not held up.

    Raises: NotFound.
    """
    row: Worksheet | None = await uow.session.scalar(
        select(Worksheet)
        .where(Worksheet.tenant_id == uow.tenant, Worksheet.id == worksheet_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise no_such_worksheet()
    return row


def _check(draft: WorksheetDraft) -> None:
    """Raises: InvalidInput."""
    fields = sheet_errors(draft)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
