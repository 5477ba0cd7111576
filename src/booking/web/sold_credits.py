"""/app/<slug>/credits: what customers own, by its state, with its history, and as files."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from src.billing.credit_words import source_words
from src.billing.domain.credits import LotState
from src.billing.models import CreditLot
from src.billing.queries.credit_lists import (
    SORTS,
    STATES,
    LotFilter,
    find_lots,
    get_credit_totals,
    list_lot_page,
    lot_rows,
)
from src.billing.views.credits import CreditTotals, LotRow, LotsPage
from src.booking.queries.credits import get_lot_view, list_used
from src.booking.queries.packages import list_package_choices
from src.booking.queries.resources import Choice
from src.booking.views.credits import LotView, UsedEntry
from src.platform.csvio import CONTENT_TYPE, Cell, write_csv
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.money import currency_exponent
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}/credits"
ONE = HOME + "/{lot_id:uuid}"
MOST_EXPORTED = 100_000

AnyRequest = Request[Any, Any, Any]


class CreditsView(msgspec.Struct, frozen=True, kw_only=True):
    """`has_any`: somebody has had credits before."""

    lots: LotsPage
    totals: CreditTotals
    packages: list[Choice]
    package: str
    base: str
    here: str
    currency: str
    zone: str
    has_any: bool


class LotPageView(msgspec.Struct, frozen=True, kw_only=True):
    lot: LotView
    base: str
    here: str
    zone: str


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_credits(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    wanted_state: Annotated[str, QueryParameter(name="state")] = "",
    q: FromQuery[str] = "",
    sort: FromQuery[str] = "bought",
    package: FromQuery[UUID | None] = None,
    before: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    wanted = LotFilter(
        state=wanted_state if wanted_state in STATES else "",
        search=q.strip()[:100],
        sort=sort if sort in SORTS else "bought",
        package_id=package,
        before=before,
        after=after,
    )
    async with services.uow_factory(ctx.here.id) as uow:
        lots = await list_lot_page(uow, ctx.here.zone, wanted)
        totals = await get_credit_totals(uow, ctx.here)
        packages = await list_package_choices(uow)
        has_any = bool(lots.rows) or bool(await find_lots(uow, LotFilter(state="any"), most=1))
    view = CreditsView(
        lots=lots,
        totals=totals,
        packages=packages,
        package=str(package) if package is not None else "",
        base=f"/app/{ctx.here.slug}",
        here=f"/app/{ctx.here.slug}/credits",
        currency=ctx.here.currency,
        zone=ctx.here.timezone,
        has_any=has_any,
    )
    return page(request, "booking/credits/list.html", view)


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_lot(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    lot_id: FromPath[UUID],
) -> Response[bytes]:
    """The terms, the balance and the whole history."""
    async with services.uow_factory(ctx.here.id) as uow:
        lot = await get_lot_view(uow, lot_id)
    view = LotPageView(
        lot=lot,
        base=f"/app/{ctx.here.slug}",
        here=f"/app/{ctx.here.slug}/credits/{lot_id}",
        zone=ctx.here.timezone,
    )
    return page(request, "booking/credits/show.html", view)


@post(HOME + "/sales", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def export_sales(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """Every lot as a file; who took it along is in the log."""
    async with services.uow_factory(ctx.here.id) as uow:
        found = await find_lots(uow, LotFilter(state="any"), most=MOST_EXPORTED)
        rows = await lot_rows(uow, found, uow.clock.now())
        await audit(uow, ctx, "credits.sales_exported", "credit_lot", None, rows=len(rows))
    header = [
        *(_("Customer"), _("E-mail"), _("Package"), _("Came from"), _("State")),
        *(_("Order"), _("Bought on"), _("Ends on"), _("Credits"), _("Used"), _("Left")),
        *(_("Lapsed"), _("Credits refunded"), _("Credits taken off"), _("Rolled over")),
        *(_("Paid"), _("Refunded"), _("Currency")),
    ]
    cells = [_sale_cells(row, one.CreditLot, ctx) for row, one in zip(rows, found, strict=True)]
    return _file("credits.csv", write_csv(header, cells))


@post(HOME + "/usage", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def export_usage(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """What was used and given back as a file; who took it along is in the log."""
    async with services.uow_factory(ctx.here.id) as uow:
        used = await list_used(uow, most=MOST_EXPORTED)
        await audit(uow, ctx, "credits.usage_exported", "credit_lot", None, rows=len(used))
    header = [
        *(_("When"), _("Customer"), _("E-mail"), _("Package"), _("What"), _("Credits")),
        *(_("Service"), _("Date"), _("Order"), _("By"), _("Reason")),
    ]
    return _file("credit-usage.csv", write_csv(header, [_use_cells(one, ctx) for one in used]))


def _sale_cells(row: LotRow, lot: CreditLot, ctx: RequestContext) -> list[Cell]:
    ends = lot.expires_at
    is_paid = lot.state == LotState.ACTIVE
    return [
        row.customer,
        row.email,
        row.name,
        source_words(row.source),
        row.badge.label,
        row.reference,
        to_local(row.created_at, ctx.here.zone).date().isoformat(),
        "" if ends is None else to_local(ends, ctx.here.zone).date().isoformat(),
        row.granted,
        row.used,
        row.left,
        row.lapsed,
        row.refunded,
        row.removed,
        row.rolled_over,
        _plain(lot.paid_minor if is_paid else 0, lot.currency),
        _plain(lot.refunded_minor, lot.currency),
        lot.currency,
    ]


def _use_cells(one: UsedEntry, ctx: RequestContext) -> list[Cell]:
    starts_at = one.starts_at
    return [
        to_local(one.at, ctx.here.zone).isoformat(sep=" ", timespec="minutes"),
        one.customer,
        one.email,
        one.package,
        one.words,
        one.credits,
        one.what,
        ""
        if starts_at is None
        else to_local(starts_at, ctx.here.zone).isoformat(sep=" ", timespec="minutes"),
        one.reference,
        one.by,
        one.reason,
    ]


def _plain(amount_minor: int, currency: str) -> str:
    """In major units with a point, as every spreadsheet reads it."""
    exponent = currency_exponent(currency)
    return f"{amount_minor / 10**exponent:.{exponent}f}"


def _file(name: str, content: bytes) -> Response[bytes]:
    disposition = f'attachment; filename="{name}"'
    return Response(content, media_type=CONTENT_TYPE, headers={"content-disposition": disposition})


route_handlers = [show_credits, show_lot, export_sales, export_usage]
