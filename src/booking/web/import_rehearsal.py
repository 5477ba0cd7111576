"""What an import would do, worked out and shown before it does anything."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
from anyio import to_thread
from litestar import Request, Response

from src.booking.commands.services import get_service
from src.booking.domain.timetable import Timetable
from src.booking.domain.timetable_file import is_calendar, parse_timetable
from src.booking.models import TimetableImport
from src.booking.queries.imports import choice_of, options_of, plan_import
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.services import get_service_head
from src.booking.views.imports import EventRow, ImportOptions, ImportRow
from src.booking.views.services import ServiceHead
from src.booking.web.import_rows import KINDS, events_of, nothing_created, rows_of
from src.platform.csvio import UnreadableTextError
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound
from src.platform.web.pages import page
from src.tenants.context import RequestContext

ROWS_ON_A_PAGE = 100

AnyRequest = Request[Any, Any, Any]


class RehearsalView(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do; `rows` are those of the `kind` that is shown, one page of them.

    `asked` is the kind that was asked for, empty where the first that has rows is shown. `nothing`
    says why nothing would be created, where that is so. `unused` are headings of the file that
    nothing was read from.
    """

    form: Any
    filename: str
    service: ServiceHead
    counts: dict[str, int]
    nothing: str
    kind: str
    asked: str
    rows: list[ImportRow]
    events: list[EventRow]
    number: int
    notes: Sequence[str]
    unused: Sequence[str]
    unknown_performers: Sequence[str]
    unknown_locations: Sequence[str]
    digest: str
    base: str
    here: str
    zone: str
    performers: list[Choice]
    locations: list[Choice]
    is_table: bool
    previous_href: str | None
    next_href: str | None


async def read_timetable(
    services: Services, ctx: RequestContext, content: bytes, options: ImportOptions
) -> Timetable:
    """The file as read now, off the loop: a large one takes seconds.

    Raises: InvalidInput for a file that is no timetable, ColumnsUnknown for a table whose columns
    have to be pointed out.
    """
    read = partial(
        parse_timetable,
        content,
        zone=ctx.here.zone,
        now=services.clock.now(),
        chosen=choice_of(options),
    )
    try:
        return await to_thread.run_sync(read)
    except UnreadableTextError:
        sentence = _("This file cannot be read as text. Save it as an .ics or .csv file.")
        raise InvalidInput(sentence, fields={"file": sentence}) from None


async def rehearsal_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    stored: TimetableImport,
    form: Bound[Any],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    """The rehearsal by the stored choices; `form` has those that are shown.

    Raises: ColumnsUnknown.
    """
    options = options_of(stored)
    timetable = await read_timetable(services, ctx, stored.content, options)
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, stored.service_id)
        planned = await plan_import(uow, stored, service, timetable, options)
        head = await get_service_head(uow, service.id)
        performers = await list_performer_choices(uow, options.default_performer_id)
        locations = await list_location_choices(uow, options.default_location_id)
    asked, number = _asked(request)
    rows = rows_of(planned, options.left_out)
    kind = asked or next((name for name in KINDS if rows[name]), KINDS[0])
    first, here = (number - 1) * ROWS_ON_A_PAGE, f"/app/{ctx.here.slug}/imports/{stored.id}"
    has_more = len(rows[kind]) > first + ROWS_ON_A_PAGE
    view = RehearsalView(
        form=form,
        filename=stored.filename,
        service=head,
        counts={name: len(found) for name, found in rows.items()} | {"create": len(planned.create)},
        nothing="" if planned.create else nothing_created(planned),
        kind=kind,
        asked=asked,
        rows=rows[kind][first : first + ROWS_ON_A_PAGE],
        events=events_of(planned, options.left_out),
        number=number,
        notes=planned.rehearsal.notes,
        unused=timetable.unused,
        unknown_performers=planned.unknown_performers,
        unknown_locations=planned.unknown_locations,
        digest=planned.digest,
        base=f"/app/{ctx.here.slug}",
        here=here,
        zone=ctx.here.timezone,
        performers=performers,
        locations=locations,
        is_table=not is_calendar(stored.content),
        previous_href=page_href(here, kind, number - 1) if number > 1 else None,
        next_href=page_href(here, kind, number + 1) if has_more else None,
    )
    return page(request, "booking/imports/rehearsal.html", view, status_code=status_code)


def _asked(request: AnyRequest) -> tuple[str, int]:
    """Which rows are asked for, empty where none are, and which page of them."""
    kind, number = request.query_params.get("show", ""), request.query_params.get("page", "1")
    is_number = number.isdecimal() and number.isascii() and len(number) < 5 and int(number) > 0
    return kind if kind in KINDS else "", int(number) if is_number else 1


def page_href(here: str, kind: str, number: int | None) -> str:
    """Where that page of that kind of rows is."""
    asked = {"show": kind, "page": number}
    told = urlencode({name: value for name, value in asked.items() if value})
    return f"{here}?{told}" if told else here
