"""/app/<slug>/worksheets: the forms that guests fill in, written, published and switched off."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.worksheet_filling import (
    NEARLY_FULL_PERCENT,
    count_files,
    most_files,
)
from src.booking.commands.worksheets import (
    change_worksheet,
    content_of,
    create_worksheet,
    draft_of_worksheet,
    get_worksheet,
    publish_worksheet,
    set_worksheet_active,
)
from src.booking.domain.seen import CHANGED_MEANWHILE, mark_of
from src.booking.domain.worksheets import (
    LONGEST_INTRODUCTION,
    LONGEST_TITLE,
    AskedRule,
    SheetKind,
    SheetQuestion,
    WorksheetDraft,
    words_of_kinds,
)
from src.booking.models import Worksheet
from src.booking.queries.worksheet_copies import list_copies_of_sheet
from src.booking.queries.worksheet_needs import list_sheet_asked_by
from src.booking.queries.worksheets import (
    count_begun,
    get_worksheet_row,
    list_sheet_versions,
    list_worksheets,
)
from src.booking.views.worksheets import (
    PublishSheetView,
    QuestionRow,
    WorksheetFormView,
    WorksheetsView,
    WorksheetView,
)
from src.booking.web.meanwhile import stale
from src.booking.web.portal import page_of
from src.booking.worksheet_files import ACCEPT, kinds_of_files
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}/worksheets"
ONE = HOME + "/{worksheet_id:uuid}"
A_PAGE = 50
FIRST_WAITING = 50


class WorksheetForm(msgspec.Struct, kw_only=True):
    """What stands above the questions, as it is typed. `token` becomes the id of a new one, and
    `seen` is the mark of what the editor was shown.
    """

    token: UUID | None = None
    seen: Annotated[str, Meta(max_length=40)] = ""
    title: Annotated[str, Meta(max_length=LONGEST_TITLE)]
    # A line's end is two characters on its way here.
    introduction: Annotated[
        str, Meta(max_length=2 * LONGEST_INTRODUCTION, extra={"strip": False})
    ] = ""
    rule: AskedRule = AskedRule.ONCE

    def draft(self) -> WorksheetDraft:
        return WorksheetDraft(title=self.title, introduction=self.introduction, rule=self.rule)


class PreviewForm(msgspec.Struct, kw_only=True):
    """The fields of the form as guests will see it; nothing is sent from there."""

    answers: dict[str, list[str]] = msgspec.field(default_factory=dict)


@get(HOME, guards=MAY_EDIT, include_in_schema=False)
async def show_worksheets(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        files, most = await count_files(uow), most_files(ctx.here.entitlements)
        view = WorksheetsView(
            rows=await list_worksheets(uow),
            files=files,
            most_files=most,
            is_nearly_full=most is not None and files * 100 >= most * NEARLY_FULL_PERCENT,
            base=base_of(ctx),
            zone=ctx.here.zone,
        )
    return page(request, "booking/worksheets/list.html", view)


@get(HOME + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_worksheet(
    request: AnyRequest, ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return _editor(request, ctx, blank(WorksheetForm, {"token": new_id()}), None)


@post(HOME + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_worksheet(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """Leads on to its first question."""
    bound = bind(WorksheetForm, await read_form(request))
    form = bound.struct
    if form is None:
        return _editor(request, ctx, bound, None, status_code=422)
    worksheet_id = form.token or new_id()
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await create_worksheet(uow, worksheet_id, form.draft())
    except InvalidInput as refused:
        return _editor(request, ctx, bound.refused(refused), None, status_code=422)
    flash(request, "success", _("The draft is saved. Now add what you want to ask."))
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}")


@get(ONE, guards=MAY_EDIT, include_in_schema=False)
async def show_worksheet(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    """Its questions, what asks for it, who has filled it in, and who has not."""
    number = page_of(request.query_params.get("page", "1"))
    base, start = base_of(ctx), (number - 1) * A_PAGE
    here = f"{base}/worksheets/{worksheet_id}"
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_worksheet_row(uow, worksheet_id)
        worksheet = await get_worksheet(uow, worksheet_id)
        sent = await list_copies_of_sheet(
            uow, worksheet_id, is_sent=True, limit=A_PAGE + 1, offset=start
        )
        view = WorksheetView(
            row=row,
            introduction=worksheet.introduction,
            rule=_rule_words(AskedRule(worksheet.rule)),
            questions=[_question_row(one) for one in content_of(worksheet).questions],
            versions=await list_sheet_versions(uow, worksheet_id),
            asked_by=await list_sheet_asked_by(uow, worksheet_id, base),
            sent=sent[:A_PAGE],
            waiting=await list_copies_of_sheet(
                uow, worksheet_id, is_sent=False, limit=FIRST_WAITING
            ),
            base=base,
            here=here,
            zone=ctx.here.zone,
            previous_href=f"{here}?page={number - 1}#answers" if number > 1 else None,
            next_href=f"{here}?page={number + 1}#answers" if len(sent) > A_PAGE else None,
        )
    return page(request, "booking/worksheets/show.html", view)


def _question_row(question: SheetQuestion) -> QuestionRow:
    kind = words_of_kinds()[question.kind]
    return QuestionRow(question=question, kind=kind, detail=_detail(question))


def _detail(question: SheetQuestion) -> str:
    """What of a question its kind does not say."""
    if question.choices:
        return ngettext("%(num)s answer", "%(num)s answers", len(question.choices))
    if question.kind is SheetKind.SCALE:
        ends = " – ".join(filter(None, (question.low, question.high)))
        return _("1 to %(steps)s", steps=question.steps) + (f" ({ends})" if ends else "")
    if question.least and question.most:
        return _("%(least)s to %(most)s", least=question.least, most=question.most)
    if question.least:
        return _("at least %(least)s", least=question.least)
    return _("at most %(most)s", most=question.most) if question.most else ""


@get(ONE + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_worksheet_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_worksheet(uow, worksheet_id)
    draft = draft_of_worksheet(row)
    form = blank(WorksheetForm, {**msgspec.structs.asdict(draft), "seen": mark_of(draft)})
    return _editor(request, ctx, form, row)


@post(ONE + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_worksheet_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_worksheet(uow, worksheet_id)
    bound = bind(WorksheetForm, await read_form(request))
    form = bound.struct
    if form is None:
        return _editor(request, ctx, bound, row, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_worksheet(uow, worksheet_id, form.draft(), form.seen)
    except InvalidInput as refused:
        return _editor(request, ctx, bound.refused(refused), row, status_code=422)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        marks = {"seen": mark_of(draft_of_worksheet(row))}
        bound = stale(bound, WorksheetForm, marks, refused)
        return _editor(request, ctx, bound, row, status_code=409)
    flash(request, "success", _("The draft is saved."))
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}")


@get(ONE + "/publish", guards=MAY_EDIT, include_in_schema=False)
async def ask_publishing_sheet(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    """The form as guests will see it, and what follows, before it is done."""
    return await _publishing(request, services, ctx, worksheet_id)


@post(ONE + "/publish", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def publish_sheet(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    shown = (await read_form(request)).texts.get("shown", [""])[-1]
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            number = await publish_worksheet(uow, ctx, worksheet_id, shown)
    except Conflict as refused:
        return await _publishing(request, services, ctx, worksheet_id, refused.message)
    flash(request, "success", _("Version %(number)s is published.", number=number))
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}")


@post(ONE + "/active", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def switch_worksheet(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    """On with `on=1`, off with anything else."""
    active = (await read_form(request)).texts.get("on", [""])[-1] == "1"
    async with services.uow_factory(ctx.here.id) as uow:
        title = await set_worksheet_active(uow, ctx, worksheet_id, active=active)
    said = (
        _("Guests are asked for “%(title)s” again.", title=title)
        if active
        else _("Nobody new is asked for “%(title)s”. What was given can be filled in.", title=title)
    )
    flash(request, "success", said)
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}")


def base_of(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


def _rules() -> list[tuple[str, str, str]]:
    return [
        (
            str(AskedRule.ONCE),
            _("Once per customer"),
            _("Who has had it before, in whatever way, is not asked again."),
        ),
        (
            str(AskedRule.EACH),
            _("With each purchase"),
            _("Every booking or purchase of what asks for it gives a fresh one."),
        ),
    ]


def _rule_words(rule: AskedRule) -> str:
    return next(words for value, words, _hint in _rules() if value == rule)


def _editor(
    request: AnyRequest,
    ctx: RequestContext,
    form: Bound[WorksheetForm],
    row: Worksheet | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = WorksheetFormView(
        form=form,
        worksheet_id=None if row is None else row.id,
        title="" if row is None else row.title,
        rules=_rules(),
        base=base_of(ctx),
    )
    return page(request, "booking/worksheets/form.html", view, status_code=status_code)


async def _publishing(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    worksheet_id: UUID,
    error: str = "",
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_worksheet_row(uow, worksheet_id)
        content = content_of(await get_worksheet(uow, worksheet_id))
        begun = await count_begun(uow, worksheet_id)
    view = PublishSheetView(
        title=row.title,
        introduction=content.introduction,
        form=blank(PreviewForm),
        questions=list(content.questions),
        accept=ACCEPT,
        kinds=kinds_of_files(),
        shown=mark_of(content),
        number=row.number + 1,
        begun=begun,
        is_same=not row.is_changed,
        active=row.active,
        asks=row.asked_by,
        error=error,
        here=f"{base_of(ctx)}/worksheets/{worksheet_id}",
        base=base_of(ctx),
    )
    status = 409 if error else 200
    return page(request, "booking/worksheets/publish.html", view, status_code=status)


route_handlers: list[Any] = [
    show_worksheets,
    show_new_worksheet,
    save_new_worksheet,
    show_worksheet,
    show_worksheet_form,
    save_worksheet_form,
    ask_publishing_sheet,
    publish_sheet,
    switch_worksheet,
]
