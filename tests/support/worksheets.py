"""A worksheet that guests fill in, and their copies of it."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.worksheet_filling import Filling
from src.booking.commands.worksheet_needs import SheetAskedBy, ask_for_worksheet
from src.booking.commands.worksheets import (
    add_question,
    content_of,
    create_worksheet,
    find_newest_sheet,
    get_worksheet,
    publish_worksheet,
)
from src.booking.domain.seen import mark_of
from src.booking.domain.worksheets import (
    AskedRule,
    SheetKind,
    SheetQuestion,
    WorksheetDraft,
)
from src.booking.models import WorksheetCopy, WorksheetFile, WorksheetVersion
from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.ids import new_id
from src.platform.web.uploads import UploadedFile, content_type_of
from tests.support.builders import Business

PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(20)


def ask(key: str, label: str, kind: SheetKind = SheetKind.SHORT, **more: Any) -> SheetQuestion:
    return SheetQuestion(key=key, label=label, kind=kind, **more)


KNEES = ask("q1", "Do your knees hurt?", required=True)
SINCE = ask("q2", "Since when?", SheetKind.DATE)
LETTER = ask("q3", "The doctor's letter", SheetKind.FILE)
HEALTH = (KNEES, SINCE, LETTER)
ALL_KINDS = (
    ask("short", "Your nickname"),
    ask("long", "Tell us more", SheetKind.LONG),
    ask("one", "Which shoe?", SheetKind.ONE, choices=("Left", "Right")),
    ask("several", "What do you play?", SheetKind.SEVERAL, choices=("Flute", "Drums", "Harp")),
    ask("date", "Born on", SheetKind.DATE),
    ask("number", "How tall?", SheetKind.NUMBER, least="0.5", most="2.5"),
    ask("scale", "How well?", SheetKind.SCALE, steps=5, low="badly", high="very well"),
    ask("file", "A letter", SheetKind.FILE),
)


async def a_worksheet(
    uow_factory: UowFactory,
    business: Business,
    *,
    title: str = "Health",
    introduction: str = "",
    questions: Sequence[SheetQuestion] = HEALTH,
    rule: AskedRule = AskedRule.ONCE,
    is_published: bool = True,
    **asked: Any,
) -> UUID:
    """Published once, and asked for by `service_ids`, `series_ids` and `package_ids`."""
    worksheet_id = new_id()
    draft = WorksheetDraft(title=title, introduction=introduction, rule=rule)
    async with uow_factory(business.id) as uow:
        await create_worksheet(uow, worksheet_id, draft)
        for question in questions:
            await add_question(uow, worksheet_id, question)
        by = SheetAskedBy(**{name: frozenset(ids) for name, ids in asked.items()})
        await ask_for_worksheet(uow, business.ctx, worksheet_id, by)
    if is_published:
        await publish_newest(uow_factory, business, worksheet_id)
    return worksheet_id


async def publish_newest(uow_factory: UowFactory, business: Business, worksheet_id: UUID) -> int:
    """The draft as it is; returns the version's number."""
    async with uow_factory(business.id) as uow:
        shown = mark_of(content_of(await get_worksheet(uow, worksheet_id)))
        return await publish_worksheet(uow, business.ctx, worksheet_id, shown)


async def copies_of(uow_factory: UowFactory, business: Business) -> list[WorksheetCopy]:
    """In the order of their giving."""
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(WorksheetCopy).order_by(WorksheetCopy.asked_at, WorksheetCopy.id)
        )
        return list(found)


async def files_of(uow_factory: UowFactory, business: Business) -> list[WorksheetFile]:
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(select(WorksheetFile).order_by(WorksheetFile.id))
        return list(found)


async def sheet_versions_of(uow_factory: UowFactory, business: Business) -> list[WorksheetVersion]:
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(WorksheetVersion).order_by(WorksheetVersion.published_at, WorksheetVersion.id)
        )
        return list(found)


async def a_sent_copy(
    uow: UnitOfWork, business: Business, worksheet_id: UUID, customer_id: UUID, **more: Any
) -> WorksheetCopy:
    """Sent with a letter."""
    version = await find_newest_sheet(uow, worksheet_id)
    assert version is not None
    now = uow.clock.now()
    copy = WorksheetCopy(
        **{
            "tenant_id": business.id,
            "id": new_id(),
            "worksheet_id": worksheet_id,
            "version_id": version.id,
            "customer_id": customer_id,
            "order_id": None,
            "state": "sent",
            "answers": [],
            "given_by": "Olive",
            "reopened_why": "",
            "asked_at": now,
            "saved_at": now,
            "sent_at": now,
            **more,
        }
    )
    uow.session.add(copy)
    await uow.session.flush()
    letter = WorksheetFile(
        tenant_id=business.id,
        id=new_id(),
        copy_id=copy.id,
        customer_id=customer_id,
        key="q3",
        is_draft=False,
        filename="quillfeather.pdf",
        content_type="application/pdf",
        size=len(PDF),
        content=PDF,
        added_at=now,
    )
    uow.session.add(letter)
    await uow.session.flush()
    return copy


def filling(*, files: dict[str, UploadedFile] | None = None, **more: Any) -> Filling:
    """Carl's knees hurt."""
    given = {"version_id": None, "typed": {"q1": ["Yes"]}, "files": files or {}, **more}
    return Filling(**given)


def a_file(name: str = "letter.pdf", content: bytes = PDF) -> UploadedFile:
    return UploadedFile(name, content_type_of(name, content), content)


def a_docx() -> bytes:
    """The smallest that has the parts of a text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    return buffer.getvalue()
