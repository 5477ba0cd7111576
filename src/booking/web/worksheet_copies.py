"""What guests answered, as staff read, print, export and open it again; and giving one by hand."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.worksheet_copies import (
    delete_sent_file,
    give_worksheet,
    reopen_copy,
    take_back_copy,
)
from src.booking.commands.worksheets import no_such_worksheet
from src.booking.domain.worksheet_answers import read_answers
from src.booking.domain.worksheets import LONGEST_REASON, CopyState, SheetKind
from src.booking.models import WorksheetFile, WorksheetVersion
from src.booking.queries.worksheet_copies import (
    answer_rows,
    get_copy,
    get_copy_row,
    get_file,
    list_files,
    list_files_of_sheet,
    list_sent_answers,
    no_such_file,
)
from src.booking.queries.worksheets import (
    get_worksheet_row,
    list_asked_questions,
    questions_of_version,
)
from src.booking.views.worksheets import CopyRow, CopyView, FileRow
from src.booking.web.customers import customers_path, head_of
from src.booking.web.worksheets import MAY_EDIT, ONE, base_of
from src.booking.worksheet_words import in_words
from src.platform.csvio import CONTENT_TYPE, Cell, write_csv
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

COPY = ONE + "/copies/{copy_id:uuid}"
OF_CUSTOMER = "/app/{slug:str}/customers/{customer_id:uuid}/worksheets"


class ReopenForm(msgspec.Struct, kw_only=True):
    """What is to be corrected, in staff's words."""

    why: Annotated[str, Meta(max_length=LONGEST_REASON)] = ""


class GiveForm(msgspec.Struct, kw_only=True):
    """Which worksheet a customer gets; `token` becomes the id of their copy."""

    token: UUID | None = None
    worksheet_id: UUID


@get(COPY, guards=MAY_EDIT, include_in_schema=False)
async def show_copy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[bytes]:
    """The answers under their questions; of what is not sent only how far it is."""
    return await _show(request, services, ctx, worksheet_id, copy_id, blank(ReopenForm))


@get(COPY + "/print", guards=MAY_EDIT, include_in_schema=False)
async def print_copy(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[bytes]:
    """The same for paper."""
    form = blank(ReopenForm)
    return await _show(request, services, ctx, worksheet_id, copy_id, form, name="print")


@post(COPY + "/reopen", guards=MAY_EDIT, status_code=200, include_in_schema=False, shown_at=COPY)
async def reopen(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(ReopenForm, await read_form(request))
    if bound.struct is not None:
        try:
            async with services.uow_factory(ctx.here.id) as uow:
                await reopen_copy(uow, ctx, worksheet_id, copy_id, bound.struct.why)
        except InvalidInput as refused:
            bound = bound.refused(refused)
        except Conflict as refused:
            bound = bound.with_errors(None, refused.message)
        else:
            said = _("It is open again. The guest gets a mail with the link.")
            flash(request, "success", said)
            here = f"{base_of(ctx)}/worksheets/{worksheet_id}/copies/{copy_id}"
            return redirect(request, here)
    return await _show(request, services, ctx, worksheet_id, copy_id, bound, status_code=422)


@post(COPY + "/take-back", guards=MAY_EDIT, status_code=200, include_in_schema=False, shown_at=COPY)
async def take_back(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[bytes]:
    """Back to the copy, which says what came of it."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            became = await take_back_copy(uow, ctx, worksheet_id, copy_id)
    except Conflict as refused:
        flash(request, "error", refused.message)
    else:
        said = (
            _("It is closed again, as the guest had sent it.")
            if became is CopyState.SENT
            else _("It is taken back. The link in the guest's mail says so.")
        )
        flash(request, "success", said)
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}/copies/{copy_id}")


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    worksheet_id: UUID,
    copy_id: UUID,
    form: Bound[ReopenForm],
    *,
    status_code: int = 200,
    name: str = "copy",
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await _copy_of(uow, worksheet_id, copy_id)
        copy = await get_copy(uow, copy_id)
        files = await list_files(uow, copy_id)
        version = await uow.session.get_one(WorksheetVersion, (uow.tenant, copy.version_id))
        questions = await questions_of_version(uow, copy.version_id)
    base = base_of(ctx)
    here = f"{base}/worksheets/{worksheet_id}/copies/{copy_id}"
    view = CopyView(
        row=row,
        saved_at=copy.saved_at,
        is_corrected=copy.draft is not None,
        form=form,
        introduction=version.introduction,
        answers=answer_rows(copy.answers, files, questions) if row.was_sent else [],
        reopened_why=copy.reopened_why,
        business=ctx.here.name,
        files=f"{here}/files",
        here=here,
        back=f"{base}/worksheets/{worksheet_id}",
        back_label=row.title,
        base=base,
        zone=ctx.here.zone,
    )
    return page(request, f"booking/worksheets/{name}.html", view, status_code=status_code)


@post(
    COPY + "/files/{file_id:uuid}/delete",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
    shown_at=COPY,
)
async def delete_copy_file(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    copy_id: FromPath[UUID],
    file_id: FromPath[UUID],
) -> Response[bytes]:
    """Back to the copy, which says what came of it."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await delete_sent_file(uow, ctx, worksheet_id, copy_id, file_id)
    except Conflict as refused:
        flash(request, "error", refused.message)
    else:
        flash(request, "success", _("The file is deleted."))
    return redirect(request, f"{base_of(ctx)}/worksheets/{worksheet_id}/copies/{copy_id}")


@get(COPY + "/files/{file_id:uuid}", guards=MAY_EDIT, include_in_schema=False)
async def show_copy_file(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
    copy_id: FromPath[UUID],
    file_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        if not (await _copy_of(uow, worksheet_id, copy_id)).was_sent:
            raise no_such_file()
        file = await get_file(uow, copy_id, file_id)
        if file.is_draft:
            raise no_such_file()
        return file_answer(file)


async def _copy_of(uow: UnitOfWork, worksheet_id: UUID, copy_id: UUID) -> CopyRow:
    """Raises: NotFound."""
    row = await get_copy_row(uow, copy_id)
    if row.worksheet_id != worksheet_id:
        raise no_such_worksheet()
    return row


def file_answer(file: WorksheetFile) -> Response[bytes]:
    """To be saved and never shown: nobody knows what a stranger's file does in a browser. The name
    is the one it had, for browsers that can read it.
    """
    name = file.filename.encode("ascii", "replace").decode().replace("?", "_")
    quoted = "".join(one if one.isalnum() or one in "._- " else "_" for one in name)
    headers = {
        "content-disposition": (
            f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quote(file.filename, safe='')}"
        ),
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, no-store",
        "x-robots-tag": "noindex",
    }
    return Response(file.content, media_type=file.content_type, headers=headers)


@post(ONE + "/export", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def export_answers(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    worksheet_id: FromPath[UUID],
) -> Response[bytes]:
    """What was sent, one customer a row and one question a column; who took it along is in the
    log. Questions of the newest version come first, and then those that are asked no more.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        worksheet = await get_worksheet_row(uow, worksheet_id)
        sent = await list_sent_answers(uow, worksheet_id)
        files = await list_files_of_sheet(uow, worksheet_id)
        asked = await list_asked_questions(uow, worksheet_id, {one.row.number for one in sent})
        detail = {"name": worksheet.title, "rows": len(sent)}
        await audit(uow, ctx, "worksheet.exported", "worksheet", worksheet_id, **detail)
    header = [_("Customer"), _("E-mail"), _("Version"), _("Sent on"), _("Time"), _("Order")]
    header += [one.label for one in asked]
    keys = [one.key for one in asked]
    cells = [
        _cells(one.row, one.answers, files.get(one.row.id, {}), keys, ctx.here.zone) for one in sent
    ]
    disposition = f'attachment; filename="worksheet-{worksheet_id.hex[-8:]}.csv"'
    headers = {"content-disposition": disposition}
    return Response(write_csv(header, cells), media_type=CONTENT_TYPE, headers=headers)


def _cells(
    row: CopyRow,
    answers: list[Any],
    files: dict[str, FileRow],
    keys: list[str],
    zone: ZoneInfo,
) -> list[Cell]:
    assert row.sent_at is not None
    at = to_local(row.sent_at, zone)
    given = {one.key: one for one in read_answers(answers)}
    cells: list[Cell] = [
        row.customer_name,
        row.email,
        row.number,
        at.date().isoformat(),
        f"{at:%H:%M:%S}",
        row.reference,
    ]
    for key in keys:
        answer = given.get(key)
        if answer is None:
            cells.append("")
        elif answer.kind is SheetKind.FILE:
            cells.append(files[key].filename if key in files else "")
        else:
            is_plain = answer.kind in {SheetKind.DATE, SheetKind.SCALE}
            cells.append(answer.values[0] if is_plain and answer.values else in_words(answer))
    return cells


@post(OF_CUSTOMER, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def give_to_customer(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    customer_id: FromPath[UUID],
) -> Response[bytes]:
    """Back to the customer's page, which says what came of it."""
    await head_of(services, ctx, customer_id)
    form = bind(GiveForm, await read_form(request)).struct
    back = f"{customers_path(ctx)}/{customer_id}#worksheets"
    if form is None:
        flash(request, "error", _("Please choose a worksheet."))
        return redirect(request, back)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            is_new = await give_worksheet(
                uow, ctx, form.token or new_id(), form.worksheet_id, customer_id
            )
    except InvalidInput as refused:
        flash(request, "error", refused.message)
    else:
        said = (
            _("The worksheet is given. The customer gets a mail with the link.")
            if is_new
            else _("They had it already and have not sent it: the link goes out once more.")
        )
        flash(request, "success", said)
    return redirect(request, back)


route_handlers: list[Any] = [
    show_copy,
    print_copy,
    reopen,
    take_back,
    show_copy_file,
    delete_copy_file,
    export_answers,
    give_to_customer,
]
