"""/app/<slug>/coupons: codes that make a booking cheaper, and what became of them."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.coupons import (
    delete_coupon,
    get_coupon,
    is_ever_used,
    set_coupon_active,
)
from src.billing.views.orders import order_badge
from src.booking.commands.coupons import save_coupon
from src.booking.queries.coupon_pages import (
    MOST_EXPORTED,
    get_coupon_row,
    list_coupon_uses,
    list_coupons,
    list_package_choices,
    list_scope_choices,
    why_not_for,
    why_not_for_package,
)
from src.booking.queries.verdict import (
    Choice,
    list_series_choices,
    list_session_choices,
    read_subject,
)
from src.booking.views.coupons import CouponRow, CouponUseRow
from src.booking.views.customers import WhyLine
from src.booking.web.coupon_forms import (
    CouponForm,
    at_the_form,
    chosen_of,
    draft_of,
    initial_of,
    scope_choices,
    worth_choices,
)
from src.platform.csvio import write_csv
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.money import currency_exponent
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
MAY_EDIT = [*MAY_SEE, requires(Feature.COUPONS)]
HOME = "/app/{slug:str}/coupons"
ONE = HOME + "/{coupon_id:uuid}"

AnyRequest = Request[Any, Any, Any]


class CouponsView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_frozen` when the plan no longer has coupons."""

    rows: list[CouponRow]
    base: str
    currency: str
    is_frozen: bool


class CouponFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `coupon_id` is None for a new one."""

    form: Any
    coupon_id: UUID | None
    code: str
    base: str
    currency: str
    worths: list[tuple[str, str]]
    scopes: list[tuple[str, str, str]]
    services: list[Choice]
    series: list[Choice]
    packages: list[Choice]


class CouponView(msgspec.Struct, frozen=True, kw_only=True):
    """One coupon with its uses. `asked` is what `why` answers; None when nobody asked."""

    row: CouponRow
    uses: list[CouponUseRow]
    base: str
    here: str
    zone: str
    currency: str
    is_frozen: bool
    may_delete: bool
    sessions: list[Choice]
    series: list[Choice]
    packages: list[Choice]
    asked: str
    email: str
    why: list[WhyLine] | None


class DeleteView(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    base: str
    here: str
    may_delete: bool


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_coupons(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_coupons(uow, ctx.here)
    view = CouponsView(
        rows=rows,
        base=_base(ctx),
        currency=ctx.here.currency,
        is_frozen=not ctx.here.entitlements.has(Feature.COUPONS),
    )
    return page(request, "booking/coupons/list.html", view)


@get(HOME + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_coupon(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return await _editor(request, services, ctx, blank(CouponForm, {"token": new_id()}), None)


@post(HOME + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_coupon(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return await _save(request, services, ctx, None)


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_coupon(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    """With `?what=session:<id>&email=`: why the code does not work for that."""
    asked = request.query_params.get("what", "")
    email = request.query_params.get("email", "").strip()[:254]
    async with services.uow_factory(ctx.here.id) as uow:
        coupon = await get_coupon(uow, coupon_id)
        why = await _why(uow, ctx, coupon.code, asked, email)
        view = CouponView(
            row=await get_coupon_row(uow, ctx.here, coupon),
            uses=await list_coupon_uses(uow, coupon_id),
            base=_base(ctx),
            here=f"{_base(ctx)}/coupons/{coupon_id}",
            zone=ctx.here.timezone,
            currency=ctx.here.currency,
            is_frozen=not ctx.here.entitlements.has(Feature.COUPONS),
            may_delete=not await is_ever_used(uow, coupon_id),
            sessions=await list_session_choices(uow, ctx.here),
            series=await list_series_choices(uow),
            packages=await list_package_choices(uow),
            asked=asked if why is not None else "",
            email=email,
            why=why,
        )
    return page(request, "booking/coupons/show.html", view)


async def _why(
    uow: UnitOfWork, ctx: RequestContext, code: str, asked: str, email: str
) -> list[WhyLine] | None:
    """None where nothing was asked that can be answered."""
    subject = read_subject(asked)
    if subject is not None:
        return await why_not_for(uow, ctx.here, code, *subject, email)
    kind, _colon, typed = asked.partition(":")
    try:
        package_id = UUID(typed)
    except ValueError:
        return None
    if kind != "package":
        return None
    return await why_not_for_package(uow, ctx.here, code, package_id, email)


@get(ONE + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_coupon_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        coupon = await get_coupon(uow, coupon_id)
    form = blank(CouponForm, initial_of(coupon, ctx.here.currency))
    return await _editor(request, services, ctx, form, coupon_id)


@post(ONE + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_coupon_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await get_coupon(uow, coupon_id)
    return await _save(request, services, ctx, coupon_id)


@post(ONE + "/active", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def switch_coupon(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    """On with `on=1`, off with anything else."""
    active = (await read_form(request)).texts.get("on", [""])[-1] == "1"
    async with services.uow_factory(ctx.here.id) as uow:
        code = await set_coupon_active(uow, ctx, coupon_id, active=active)
    said = (
        _("“%(code)s” can be used again.", code=code)
        if active
        else _("“%(code)s” cannot be used any more. Who is paying keeps their price.", code=code)
    )
    flash(request, "success", said)
    return redirect(request, f"{_base(ctx)}/coupons/{coupon_id}")


@get(ONE + "/delete", guards=MAY_SEE, include_in_schema=False)
async def ask_delete(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    async with services.uow_factory(ctx.here.id) as uow:
        coupon = await get_coupon(uow, coupon_id)
        may_delete = not await is_ever_used(uow, coupon_id)
    base = f"{_base(ctx)}/coupons"
    view = DeleteView(
        code=coupon.code, base=base, here=f"{base}/{coupon_id}", may_delete=may_delete
    )
    return page(request, "booking/coupons/delete.html", view)


@post(ONE + "/delete", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def remove_coupon(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            code = await delete_coupon(uow, ctx, coupon_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
        return redirect(request, f"{_base(ctx)}/coupons/{coupon_id}")
    flash(request, "success", _("“%(code)s” is deleted.", code=code))
    return redirect(request, f"{_base(ctx)}/coupons")


@post(ONE + "/export", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def export_uses(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    coupon_id: FromPath[UUID],
) -> Response[bytes]:
    """Who used it, as a file; who took it along is in the log."""
    async with services.uow_factory(ctx.here.id) as uow:
        coupon = await get_coupon(uow, coupon_id)
        rows = await list_coupon_uses(uow, coupon_id, most=MOST_EXPORTED)
        detail = {"name": coupon.code, "rows": len(rows)}
        await audit(uow, ctx, "coupon.exported", "coupon", coupon_id, **detail)
    header = [
        _("Order"),
        _("Name"),
        _("E-mail"),
        _("State"),
        _("Discount"),
        _("Total"),
        _("Currency"),
        _("Given back"),
        _("Since"),
    ]
    content = write_csv(header, [_cells(row, ctx) for row in rows])
    filename = f"coupon-{coupon.code.lower()}.csv"
    return Response(
        content,
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{filename}"'},
    )


def _cells(row: CouponUseRow, ctx: RequestContext) -> list[str | int | None]:
    currency = ctx.here.currency
    return [
        row.reference,
        row.guest_name,
        row.guest_email,
        order_badge(row.state, is_all_cancelled=row.is_all_cancelled).label,
        _plain(row.discount_minor, currency),
        _plain(row.total_minor, currency),
        currency,
        _("yes") if row.is_returned else _("no"),
        to_local(row.created_at, ctx.here.zone).date().isoformat(),
    ]


def _plain(amount_minor: int, currency: str) -> str:
    """In major units with a point, as every spreadsheet reads it."""
    exponent = currency_exponent(currency)
    return f"{amount_minor / 10**exponent:.{exponent}f}"


def _base(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


async def _save(
    request: AnyRequest, services: Services, ctx: RequestContext, coupon_id: UUID | None
) -> Response[bytes]:
    """A new one when there is no id yet."""
    bound = bind(CouponForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, coupon_id, status_code=422)
    saved_id = coupon_id or form.token or new_id()
    try:
        draft = draft_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await save_coupon(uow, ctx, saved_id, draft, chosen_of(form), is_new=coupon_id is None)
    except InvalidInput as refused:
        bound = bound.refused(at_the_form(refused, form))
        return await _editor(request, services, ctx, bound, coupon_id, status_code=422)
    flash(request, "success", _("“%(code)s” is saved.", code=draft.code))
    return redirect(request, f"{_base(ctx)}/coupons/{saved_id}")


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[CouponForm],
    coupon_id: UUID | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        offered, series, packages = await list_scope_choices(uow)
        code = "" if coupon_id is None else (await get_coupon(uow, coupon_id)).code
    view = CouponFormView(
        form=form,
        coupon_id=coupon_id,
        code=code,
        base=_base(ctx),
        currency=ctx.here.currency,
        worths=worth_choices(),
        scopes=scope_choices(),
        services=offered,
        series=series,
        packages=packages,
    )
    return page(request, "booking/coupons/form.html", view, status_code=status_code)


route_handlers = [
    show_coupons,
    show_new_coupon,
    save_new_coupon,
    show_coupon,
    show_coupon_form,
    save_coupon_form,
    switch_coupon,
    ask_delete,
    remove_coupon,
    export_uses,
]
