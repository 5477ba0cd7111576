"""/app/<slug>/customers: everyone who ever booked, found again, added by hand, and as CSV."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.booking.queries.customers import (
    CustomerFilter,
    get_customer,
    list_customers,
    list_customers_to_export,
)
from src.booking.queries.verdict import get_verdict, read_subject
from src.booking.views.customers import CustomerHead, CustomerRow, CustomersPage, Verdict
from src.platform.csvio import write_csv
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, bind, blank, form_data, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.audit import audit
from src.tenants.commands.customer_care import CustomerDetails, KnownAddress, add_customer
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_CARE = [requires_member(Role.MANAGER)]
POST_OPTIONS: dict[str, Any] = {"guards": MAY_CARE, "status_code": 200, "include_in_schema": False}
HOME = "/app/{slug:str}/customers"
REFUSED = 422


class CustomersQuery(msgspec.Struct):
    """Which customers; `what` is a session or series that one of them is to be booked into."""

    q: Annotated[str, Meta(max_length=100)] = ""
    tag: Annotated[str, Meta(max_length=40)] = ""
    established: Annotated[str, Meta(max_length=3)] = ""
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1
    what: Annotated[str, Meta(max_length=60)] = ""

    def filter(self) -> CustomerFilter:
        return CustomerFilter(search=self.q, tag=self.tag, established=self.established)


class CustomerForm(msgspec.Struct):
    """A customer as typed; `readdress`: what is to come writes to the address from now on."""

    name: Annotated[str, Meta(max_length=120)]
    email: Email = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    is_established: bool = False
    readdress: bool = False

    def details(self) -> CustomerDetails:
        return CustomerDetails(
            name=self.name,
            email=self.email,
            phone=self.phone,
            is_established=self.is_established,
        )


class CustomersView(msgspec.Struct, frozen=True, kw_only=True):
    """The list; with `chosen_for` a customer is being chosen for a booking."""

    listed: CustomersPage
    wanted: CustomersQuery
    chosen_for: Verdict | None
    base: str
    zone: str
    kept: str
    previous_href: str | None
    next_href: str | None


class CustomerFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `head` is None for a new customer, `known` is who has the address already."""

    form: Any
    head: CustomerHead | None
    known: CustomerHead | None
    base: str
    back: str
    what: str


@get(HOME, guards=MAY_CARE, include_in_schema=False)
async def show_customers(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    wanted = bind(CustomersQuery, form_data(request.query_params)).struct or CustomersQuery()
    subject = read_subject(wanted.what)
    async with services.uow_factory(ctx.here.id) as uow:
        listed = await list_customers(uow, wanted.filter(), number=wanted.page)
        chosen_for = None
        if subject is not None:
            chosen_for = await get_verdict(uow, ctx.here, *subject, None, uow.clock.now())
    base = customers_path(ctx)
    view = CustomersView(
        listed=listed,
        wanted=wanted,
        chosen_for=chosen_for,
        base=base,
        zone=ctx.here.timezone,
        kept=_query(wanted, 1),
        previous_href=f"{base}?{_query(wanted, wanted.page - 1)}" if wanted.page > 1 else None,
        next_href=f"{base}?{_query(wanted, wanted.page + 1)}" if listed.has_more else None,
    )
    return page(request, "booking/customers/list.html", view)


def _query(wanted: CustomersQuery, number: int) -> str:
    chosen = {**msgspec.structs.asdict(wanted), "page": number if number > 1 else ""}
    return urlencode({name: value for name, value in chosen.items() if value})


@post(HOME + "/export", **POST_OPTIONS)
async def export_customers(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """The customers of the list's filter as a file; who took it along is in the log, but not by
    what they looked for, which may be somebody's name.
    """
    wanted = bind(CustomersQuery, await read_form(request)).struct or CustomersQuery()
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_customers_to_export(uow, wanted.filter())
        await audit(uow, ctx, "customer.exported", "customers", None, rows=len(rows))
    header = [
        _("Name"),
        _("E-mail"),
        _("Phone"),
        _("Known customer"),
        _("Tags"),
        _("Bookings"),
        _("Since"),
    ]
    content = write_csv(header, [_cells(row, ctx) for row in rows])
    return Response(
        content,
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="customers-{ctx.here.slug}.csv"'},
    )


def _cells(row: CustomerRow, ctx: RequestContext) -> list[str | int | None]:
    return [
        row.name,
        row.email,
        row.phone,
        _("yes") if row.is_established else _("no"),
        ", ".join(row.tags),
        row.bookings,
        to_local(row.created_at, ctx.here.zone).date().isoformat(),
    ]


@get(HOME + "/new", guards=MAY_CARE, include_in_schema=False)
async def show_new_customer(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return _editor(request, ctx, blank(CustomerForm), None)


@post(HOME + "/new", **POST_OPTIONS)
async def save_new_customer(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Adds one; where the address is known, whose it is is offered and nobody is added."""
    form = bind(CustomerForm, await read_form(request))
    if form.struct is None:
        return _editor(request, ctx, form, None)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            customer_id = await add_customer(uow, ctx, form.struct.details())
    except InvalidInput as refusal:
        return _editor(request, ctx, form.refused(refusal), None)
    except KnownAddress as refusal:
        known = await head_of(services, ctx, refusal.customer_id)
        return _editor(request, ctx, form.with_errors({"email": refusal.message}), known)
    flash(request, "success", _("“%(name)s” is added.", name=form.struct.name))
    what = request.query_params.get("what", "")
    path = f"{customers_path(ctx)}/{customer_id}"
    return redirect(request, f"{path}/book?what={what}" if read_subject(what) else path)


def _editor(
    request: AnyRequest,
    ctx: RequestContext,
    form: Bound[CustomerForm],
    known: CustomerHead | None,
) -> Response[bytes]:
    what = request.query_params.get("what", "")
    base = customers_path(ctx)
    view = CustomerFormView(
        form=form,
        head=None,
        known=known,
        base=base,
        back=base,
        what=what if read_subject(what) else "",
    )
    status = REFUSED if form.errors or form.form_error else 200
    return page(request, "booking/customers/form.html", view, status_code=status)


def customers_path(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}/customers"


async def head_of(services: Services, ctx: RequestContext, customer_id: UUID) -> CustomerHead:
    """Raises: NotFound, for another business's too."""
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_customer(uow, customer_id)


route_handlers = [show_customers, export_customers, show_new_customer, save_new_customer]
