"""The builder of a worksheet's questions, and what asks for the worksheet."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.worksheet_needs import SheetAskedBy, ask_for_worksheet
from src.booking.commands.worksheets import (
    add_question,
    change_question,
    get_worksheet,
    move_question,
    question_of,
    take_question_off,
)
from src.booking.domain.seen import CHANGED_MEANWHILE, mark_of
from src.booking.domain.worksheets import (
    LONGEST_CHOICE,
    LONGEST_END,
    LONGEST_HELP,
    LONGEST_LABEL,
    LONGEST_NUMBER,
    MOST_CHOICES,
    SheetKind,
    SheetQuestion,
    words_of_kinds,
)
from src.booking.queries.agreement_pages import list_choices
from src.booking.queries.worksheet_needs import sheet_asked_by_of
from src.booking.views.worksheets import QuestionFormView, SheetAskedForView
from src.booking.web.meanwhile import stale
from src.booking.web.worksheets import MAY_EDIT, ONE, base_of
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext

QUESTIONS = ONE + "/questions"
QUESTION = QUESTIONS + "/{question:str}"
LONGEST_KEY = 40


class QuestionForm(msgspec.Struct, kw_only=True):
    """One question as it is typed, with the fields of every kind; `key` names a new one, and `seen`
    is the mark of what the editor was shown.
    """

    key: Annotated[str, Meta(max_length=LONGEST_KEY, pattern="^[0-9A-Za-z_-]*$")] = ""
    seen: Annotated[str, Meta(max_length=40)] = ""
    label: Annotated[str, Meta(max_length=LONGEST_LABEL)]
    kind: SheetKind = SheetKind.SHORT
    required: bool = False
    help: Annotated[str, Meta(max_length=LONGEST_HELP)] = ""
    choices: Annotated[str, Meta(max_length=MOST_CHOICES * (LONGEST_CHOICE + 2) * 2)] = ""
    least: Annotated[str, Meta(max_length=LONGEST_NUMBER)] = ""
    most: Annotated[str, Meta(max_length=LONGEST_NUMBER)] = ""
    steps: int = 5
    low: Annotated[str, Meta(max_length=LONGEST_END)] = ""
    high: Annotated[str, Meta(max_length=LONGEST_END)] = ""

    def question(self, key: str) -> SheetQuestion:
        return SheetQuestion(
            key=key,
            label=self.label,
            kind=self.kind,
            required=self.required,
            help=self.help,
            choices=tuple(line for line in self.choices.splitlines() if line.strip()),
            least=self.least,
            most=self.most,
            steps=self.steps,
            low=self.low,
            high=self.high,
        )


class MoveForm(msgspec.Struct, kw_only=True):
    """Which way a question goes: up, or else down."""

    up: bool = False


class SheetAskedForForm(msgspec.Struct, kw_only=True):
    """What asks for one worksheet."""

    service_ids: list[UUID] = msgspec.field(default_factory=list)
    series_ids: list[UUID] = msgspec.field(default_factory=list)
    package_ids: list[UUID] = msgspec.field(default_factory=list)


@get(QUESTIONS + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_question(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    form = blank(QuestionForm, {"key": new_id().hex})
    return await _editor(request, services, ctx, worksheet_id, form)


@post(QUESTIONS + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_question(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(QuestionForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, worksheet_id, bound, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await add_question(uow, worksheet_id, form.question(form.key or new_id().hex))
    except InvalidInput as refused:
        refusal = bound.refused(refused)
        return await _editor(request, services, ctx, worksheet_id, refusal, status_code=422)
    flash(request, "success", _("The question is added to the draft."))
    return redirect(request, _questions(ctx, worksheet_id))


@get(QUESTION + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_question(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    question: FromPath[str],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        saved = question_of(await get_worksheet(uow, worksheet_id), question)
    known = msgspec.structs.asdict(saved)
    known |= {"choices": "\n".join(saved.choices), "seen": mark_of(saved)}
    form = blank(QuestionForm, known)
    return await _editor(request, services, ctx, worksheet_id, form, key=question)


@post(QUESTION + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_question(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    question: FromPath[str],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        saved = question_of(await get_worksheet(uow, worksheet_id), question)
    bound, status = bind(QuestionForm, await read_form(request)), 422
    if bound.struct is not None:
        try:
            async with services.uow_factory(ctx.here.id) as uow:
                wanted = bound.struct.question(question)
                await change_question(uow, worksheet_id, wanted, bound.struct.seen)
        except InvalidInput as refused:
            bound = bound.refused(refused)
        except Conflict as refused:
            if refused.code != CHANGED_MEANWHILE:
                raise
            bound, status = stale(bound, QuestionForm, {"seen": mark_of(saved)}, refused), 409
        else:
            flash(request, "success", _("The question is saved in the draft."))
            return redirect(request, _questions(ctx, worksheet_id))
    return await _editor(
        request, services, ctx, worksheet_id, bound, key=question, status_code=status
    )


@post(QUESTION + "/move", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def shift_question(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    question: FromPath[str],
) -> Response[bytes]:
    form = bind(MoveForm, await read_form(request)).struct or MoveForm()
    async with services.uow_factory(ctx.here.id) as uow:
        await move_question(uow, worksheet_id, question, up=form.up)
    return redirect(request, _questions(ctx, worksheet_id))


@post(QUESTION + "/remove", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def remove_question(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    question: FromPath[str],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await take_question_off(uow, worksheet_id, question)
    flash(request, "success", _("The question is off the draft. What was answered stays."))
    return redirect(request, _questions(ctx, worksheet_id))


def _questions(ctx: RequestContext, worksheet_id: UUID) -> str:
    return f"{base_of(ctx)}/worksheets/{worksheet_id}#questions"


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    worksheet_id: UUID,
    form: Bound[QuestionForm],
    *,
    key: str = "",
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_worksheet(uow, worksheet_id)
    view = QuestionFormView(
        form=form,
        key=key,
        title=row.title,
        kinds=[(str(kind), words) for kind, words in words_of_kinds().items()],
        here=f"{base_of(ctx)}/worksheets/{worksheet_id}",
        base=base_of(ctx),
    )
    return page(request, "booking/worksheets/question.html", view, status_code=status_code)


@get(ONE + "/asked-for", guards=MAY_EDIT, include_in_schema=False)
async def show_sheet_asked_for(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        form = blank(SheetAskedForForm, await sheet_asked_by_of(uow, worksheet_id))
    return await _asked_for(request, services, ctx, worksheet_id, form)


@post(ONE + "/asked-for", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_sheet_asked_for(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(SheetAskedForForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _asked_for(request, services, ctx, worksheet_id, bound, status_code=422)
    asked = SheetAskedBy(
        service_ids=frozenset(form.service_ids),
        series_ids=frozenset(form.series_ids),
        package_ids=frozenset(form.package_ids),
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await ask_for_worksheet(uow, ctx, worksheet_id, asked)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _asked_for(request, services, ctx, worksheet_id, bound, status_code=422)
    flash(request, "success", _("Saved. It holds for whoever books from now on."))
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}")


async def _asked_for(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    worksheet_id: UUID,
    form: Bound[SheetAskedForForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        worksheet = await get_worksheet(uow, worksheet_id)
        of_services, of_series, of_packages = await list_choices(uow)
    view = SheetAskedForView(
        form=form,
        title=worksheet.title,
        services=of_services,
        series=of_series,
        packages=of_packages,
        here=f"{base_of(ctx)}/worksheets/{worksheet_id}",
        base=base_of(ctx),
    )
    return page(request, "booking/worksheets/asked_for.html", view, status_code=status_code)


route_handlers: list[Any] = [
    show_new_question,
    save_new_question,
    show_question,
    save_question,
    shift_question,
    remove_question,
    show_sheet_asked_for,
    save_sheet_asked_for,
]
