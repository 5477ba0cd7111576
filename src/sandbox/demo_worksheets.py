"""What guests of a demo business fill in, and who has by now."""

from uuid import UUID

from sqlalchemy import select

from src.booking.commands.worksheet_copies import give_worksheet
from src.booking.commands.worksheet_filling import Filling, fill_in
from src.booking.commands.worksheet_needs import SheetAskedBy, ask_for_worksheet
from src.booking.commands.worksheets import (
    add_question,
    content_of,
    create_worksheet,
    get_worksheet,
    publish_worksheet,
)
from src.booking.domain.seen import mark_of
from src.booking.domain.worksheets import SheetKind, SheetQuestion, WorksheetDraft
from src.platform.ids import new_id
from src.platform.web.uploads import UploadedFile
from src.sandbox.demo_guests import address_of
from src.sandbox.demo_shop import Opened
from src.tenants.models import Customer

GUESTS = ("Carl Cedar", "Dora Dale", "Emil Elm")
FILLED_IN = 2
INTRODUCTION = """So that the first practice fits you. We read your answers, and nobody else does.

Leave out what you would rather tell us in person."""
QUESTIONS = (
    SheetQuestion(key="a1", label="What brings you to yoga?", kind=SheetKind.LONG, required=True),
    SheetQuestion(
        key="a2",
        label="How much have you practised?",
        kind=SheetKind.ONE,
        choices=("Not yet", "Now and then", "Every week"),
        required=True,
    ),
    SheetQuestion(
        key="a3",
        label="Where does it sometimes hurt?",
        kind=SheetKind.SEVERAL,
        choices=("Neck", "Shoulders", "Back", "Hips", "Knees"),
    ),
    SheetQuestion(
        key="a4",
        label="How well do you sleep?",
        kind=SheetKind.SCALE,
        steps=5,
        low="badly",
        high="like a stone",
    ),
    SheetQuestion(
        key="a5",
        label="When was your last operation?",
        kind=SheetKind.DATE,
        help="If there was one in the last two years.",
    ),
    SheetQuestion(
        key="a6",
        label="A letter from your doctor",
        kind=SheetKind.FILE,
        help="Only if we should know what it says.",
    ),
)
NOTE = b"May take part in everything but headstands.\n"
ANSWERS = (
    {"a1": ["My back, and some quiet."], "a2": ["Not yet"], "a3": ["Back"], "a4": ["2"]},
    {"a1": ["I come back after a year."], "a2": ["Every week"], "a4": ["5"], "a5": ["2026-03-02"]},
)


async def worksheets_at(opened: Opened, service: str) -> None:
    """Asked of who books from now on; three guests have it already, and two have sent it."""
    worksheet_id = await _published(opened)
    ctx, uow_factory = opened.ctx, opened.services.uow_factory
    async with uow_factory(ctx.here.id) as uow:
        asked = SheetAskedBy(service_ids=frozenset({opened.offers[service].service_id}))
        await ask_for_worksheet(uow, ctx, worksheet_id, asked)
        found = await uow.session.execute(
            select(Customer.email, Customer.id).where(Customer.tenant_id == uow.tenant)
        )
        known = dict(found.tuples().all())
    customers = [known[address_of(name)] for name in GUESTS]
    for place, customer_id in enumerate(customers):
        copy_id = new_id()
        async with uow_factory(ctx.here.id) as uow:
            await give_worksheet(uow, ctx, copy_id, worksheet_id, customer_id)
        if place < FILLED_IN:
            files = {"a6": UploadedFile("note.txt", "text/plain", NOTE)} if place else {}
            filling = Filling(version_id=None, typed=ANSWERS[place], files=files)
            async with uow_factory(ctx.here.id) as uow:
                await fill_in(uow, ctx.here.entitlements, copy_id, filling)


async def _published(opened: Opened) -> UUID:
    ctx, worksheet_id = opened.ctx, new_id()
    async with opened.services.uow_factory(ctx.here.id) as uow:
        draft = WorksheetDraft(title="Before your first practice", introduction=INTRODUCTION)
        await create_worksheet(uow, worksheet_id, draft)
        for question in QUESTIONS:
            await add_question(uow, worksheet_id, question)
        shown = mark_of(content_of(await get_worksheet(uow, worksheet_id)))
        await publish_worksheet(uow, ctx, worksheet_id, shown)
    return worksheet_id
