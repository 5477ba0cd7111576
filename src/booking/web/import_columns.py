"""/app/<slug>/imports/<id>/columns: the owner points out what stands where in a table."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from anyio import to_thread
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.imports import choose_columns
from src.booking.domain.timetable_columns import (
    SYNONYMS,
    ColumnChoice,
    bare_table,
    choice_errors,
    guess_columns,
)
from src.booking.domain.timetable_file import is_calendar
from src.booking.models import TimetableImport
from src.booking.queries.imports import choice_of, get_import, options_of
from src.booking.queries.services import get_service_head
from src.booking.views.services import ServiceHead
from src.booking.web.imports import MAY_IMPORT, POST_OPTIONS
from src.platform.csvio import CsvTable, read_csv
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import page, redirect
from src.tenants.context import RequestContext

ROWS_SHOWN = 5
LONGEST_SAMPLE = 24

AnyRequest = Request[Any, Any, Any]


class ColumnsForm(msgspec.Struct, kw_only=True):
    """The number of a column by what it holds, from 0; empty where no column does."""

    columns: dict[str, str] = {}
    headless: bool = False


class ColumnsView(msgspec.Struct, frozen=True, kw_only=True):
    """The table's beginning, and a choice of its columns for each thing."""

    form: Any
    filename: str
    service: ServiceHead
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    choices: list[tuple[int, str]]
    base: str
    here: str


@get("/app/{slug:str}/imports/{import_id:uuid}/columns", guards=MAY_IMPORT, include_in_schema=False)
async def show_columns(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    """The columns as chosen before, else as guessed; a calendar has none."""
    stored = await _stored(services, ctx, import_id)
    if stored.state == "committed" or is_calendar(stored.content):
        return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")
    table = await to_thread.run_sync(read_csv, stored.content)
    choice = choice_of(options_of(stored))
    if choice is None:
        choice = await to_thread.run_sync(partial(guess_columns, table))
    typed = {name: str(at) for name, at in choice.places.items()}
    form = blank(ColumnsForm, {"columns": typed, "headless": choice.headless})
    return await _columns_page(request, services, ctx, stored, table, form)


@post("/app/{slug:str}/imports/{import_id:uuid}/columns", **POST_OPTIONS)
async def take_columns(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    import_id: FromPath[UUID],
) -> Response[bytes]:
    """Reads the table by these columns from now on, and shows what would happen."""
    stored = await _stored(services, ctx, import_id)
    bound = bind(ColumnsForm, await read_form(request))
    table = await to_thread.run_sync(read_csv, stored.content)
    chosen, wrong = _chosen(bound, len(table.header))
    if wrong or bound.struct is None:
        bound = bound.with_errors({f"columns.{name}": said for name, said in wrong.items()})
        return await _columns_page(request, services, ctx, stored, table, bound, status_code=422)
    async with services.uow_factory(ctx.here.id) as uow:
        await choose_columns(uow, ctx, import_id, ColumnChoice(chosen, bound.struct.headless))
    return redirect(request, f"/app/{ctx.here.slug}/imports/{import_id}")


def _chosen(bound: Bound[ColumnsForm], width: int) -> tuple[dict[str, int], Mapping[str, str]]:
    """The columns that were chosen, and what is wrong with them."""
    typed = bound.struct.columns if bound.struct is not None else {}
    chosen: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for name in SYNONYMS:
        text = typed.get(name, "")
        if text.isascii() and text.isdecimal() and int(text[:6]) < width:
            chosen[name] = int(text)
        elif text:
            wrong[name] = _("Please choose one of the given ones.")
    return chosen, {**choice_errors(chosen), **wrong}


async def _stored(services: Services, ctx: RequestContext, import_id: UUID) -> TimetableImport:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_import(uow, import_id)


async def _columns_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    stored: TimetableImport,
    table: CsvTable,
    form: Bound[ColumnsForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service_head(uow, stored.service_id)
    shown = bare_table(table, headless=form.checked("headless"))
    rows = [row.cells for row in shown.rows[:ROWS_SHOWN]]
    view = ColumnsView(
        form=form,
        filename=stored.filename,
        service=service,
        header=shown.header,
        rows=[(*cells, *[""] * (len(shown.header) - len(cells))) for cells in rows],
        choices=[(at, _label(shown, at)) for at in range(len(shown.header))],
        base=f"/app/{ctx.here.slug}",
        here=f"/app/{ctx.here.slug}/imports/{stored.id}",
    )
    return page(request, "booking/imports/columns.html", view, status_code=status_code)


def _label(table: CsvTable, at: int) -> str:
    """The column's heading with what stands first below it."""
    name = table.header[at] or _("Column %(number)s", number=at + 1)
    cells = (row.cells[at] for row in table.rows[:ROWS_SHOWN] if at < len(row.cells))
    sample = next(filter(None, cells), "")[:LONGEST_SAMPLE]
    return f"{name} · {sample}" if sample else name


route_handlers: list[Any] = [show_columns, take_columns]
