"""/app/<slug>/vouchers: every voucher, what is on it, and what a member can do about it."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.commands.vouchers import (
    adjust_voucher,
    extend_voucher,
    send_voucher_again,
    set_voucher_blocked,
)
from src.billing.domain.vouchers import VoucherState, is_over, last_day
from src.billing.models import Voucher
from src.billing.queries.voucher_pages import (
    VoucherFilter,
    get_with_people,
    list_for_export,
    list_ledger,
    list_vouchers,
    sum_vouchers,
    voucher_row_view,
)
from src.billing.views.vouchers import VoucherPage, VouchersPage
from src.billing.voucher_links import voucher_path
from src.billing.web.amounts import plain_amount, read_amount
from src.billing.web.voucher_forms import AdjustForm, ExtendForm
from src.platform.csvio import write_csv
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
HOME = "/app/{slug:str}/vouchers"
ONE = HOME + "/{voucher_id:uuid}"
REFUSED = 422

AnyRequest = Request[Any, Any, Any]


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_vouchers(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    voucher_state: Annotated[str, QueryParameter(name="state")] = "",
    q: FromQuery[str] = "",
    before: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    wanted = VoucherFilter(state=voucher_state, search=q.strip()[:100], before=before)
    async with services.uow_factory(ctx.here.id) as uow:
        rows, older = await list_vouchers(uow, ctx.here, wanted)
        sums = await sum_vouchers(uow, ctx.here)
        offer = await get_voucher_offer(uow)
    view = VouchersPage(
        rows=rows,
        sums=sums,
        base=base_of(ctx),
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        state=wanted.state,
        search=wanted.search,
        older=older,
        is_on=offer.is_on,
        is_frozen=not ctx.here.entitlements.has(Feature.COUPONS),
        shop_href=f"{services.settings.base_url}/b/{ctx.here.slug}/vouchers",
    )
    return page(request, "billing/vouchers/list.html", view)


@post(HOME + "/export", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def export_vouchers(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """What was sold and what is still owed, as a file; who took it along is in the log."""
    now, zone = services.clock.now(), ctx.here.zone
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_for_export(uow)
        await audit(uow, ctx, "voucher.exported", "tenant", ctx.here.id, rows=len(found))
    header = [_("Code"), _("State"), _("Kind"), _("Sold"), _("Worth"), _("Left"), _("Currency")]
    header += [_("Valid until"), _("Order"), _("Buyer"), _("E-mail"), _("For")]
    lines = []
    for one in found:
        row, currency = voucher_row_view(one, ctx.here, now), one.Voucher.currency
        lines.append(
            [
                row.code,
                row.state.label,
                row.source,
                to_local(row.created_at, zone).date().isoformat(),
                plain_amount(row.initial_minor, currency),
                plain_amount(row.balance_minor, currency),
                currency,
                row.expires_on.isoformat() if row.expires_on else "",
                one.reference or "",
                row.buyer,
                one.guest_email or one.email or "",
                row.recipient,
            ]
        )
    headers = {"content-disposition": 'attachment; filename="vouchers.csv"'}
    return Response(write_csv(header, lines), media_type="text/csv", headers=headers)


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_one(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    voucher_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, voucher_id)


@post(ONE + "/blocked", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def block(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    voucher_id: FromPath[UUID],
) -> Response[bytes]:
    """With `on=1` nobody can pay with it any more, with anything else they can again."""
    blocked = (await read_form(request)).texts.get("on", [""])[-1] == "1"
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await set_voucher_blocked(uow, ctx, voucher_id, blocked=blocked)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        said = _("Nobody can pay with it any more.") if blocked else _("It can be used again.")
        flash(request, "success", said)
    return redirect(request, f"{base_of(ctx)}/vouchers/{voucher_id}")


@post(ONE + "/send", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def send_again(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    voucher_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await send_voucher_again(uow, ctx, voucher_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        flash(request, "success", _("It is on its way again."))
    return redirect(request, f"{base_of(ctx)}/vouchers/{voucher_id}")


@post(ONE + "/adjust", guards=MAY_SEE, status_code=200, include_in_schema=False, shown_at=ONE)
async def adjust(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    voucher_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(AdjustForm, await read_form(request))
    form = bound.struct
    try:
        if form is not None:
            amount_minor = read_amount(form.amount, ctx.here.currency, "amount")
            signed = amount_minor if form.way == "add" else -amount_minor
            async with services.uow_factory(ctx.here.id) as uow:
                await adjust_voucher(uow, ctx, voucher_id, signed, form.reason)
            flash(request, "success", _("The balance is changed."))
            return redirect(request, f"{base_of(ctx)}/vouchers/{voucher_id}")
    except InvalidInput as refusal:
        bound = bound.refused(refusal)
    except Conflict as refusal:
        bound = bound.with_errors(None, refusal.message)
    return await _show(request, services, ctx, voucher_id, form=bound)


@post(ONE + "/extend", guards=MAY_SEE, status_code=200, include_in_schema=False, shown_at=ONE)
async def extend(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    voucher_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(ExtendForm, await read_form(request))
    form = bound.struct
    try:
        if form is not None:
            async with services.uow_factory(ctx.here.id) as uow:
                await extend_voucher(uow, ctx, voucher_id, form.last_on)
            flash(request, "success", _("It is valid for longer now."))
            return redirect(request, f"{base_of(ctx)}/vouchers/{voucher_id}")
    except InvalidInput as refusal:
        bound = bound.refused(refusal)
    return await _show(request, services, ctx, voucher_id, extend_form=bound)


def base_of(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    voucher_id: UUID,
    *,
    form: Bound[AdjustForm] | None = None,
    extend_form: Bound[ExtendForm] | None = None,
) -> Response[bytes]:
    now, status = services.clock.now(), REFUSED if form or extend_form else 200
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_with_people(uow, voucher_id)
        ledger = await list_ledger(uow, voucher_id)
    voucher: Voucher = found.Voucher
    buyer_email = found.guest_email or found.email or ""
    path = voucher_path(services.settings, ctx.here.slug, voucher)
    until = last_day(voucher.expires_at, ctx.here.zone) if voucher.expires_at else None
    is_live = voucher.state == VoucherState.ACTIVE and not is_over(voucher.expires_at, now)
    goes_to = voucher.recipient_email or buyer_email
    view = VoucherPage(
        id=voucher.id,
        code=voucher.code,
        row=voucher_row_view(found, ctx.here, now),
        buyer_id=voucher.customer_id,
        buyer_name=found.guest_name or found.name,
        buyer_email=buyer_email,
        recipient_name=voucher.recipient_name,
        recipient_email=voucher.recipient_email,
        message=voucher.message,
        send_on=voucher.send_on,
        sent_at=voucher.sent_at,
        order_id=voucher.order_id,
        reference=found.reference or "",
        ledger=ledger,
        is_blocked=voucher.state == VoucherState.BLOCKED,
        is_pending=voucher.state == VoucherState.PENDING,
        may_send=bool(goes_to) and is_live and voucher.balance_minor > 0,
        mail_goes_to=goes_to,
        base=base_of(ctx),
        here=f"{base_of(ctx)}/vouchers/{voucher.id}",
        zone=ctx.here.timezone,
        currency=voucher.currency,
        guest_href=path,
        print_href=f"{path}/voucher.pdf",
        form=form or blank(AdjustForm, {"way": "add"}),
        extend_form=extend_form or blank(ExtendForm, {"last_on": until}),
    )
    return page(request, "billing/vouchers/show.html", view, status_code=status)


route_handlers: list[Any] = [
    show_vouchers,
    export_vouchers,
    show_one,
    block,
    send_again,
    adjust,
    extend,
]
