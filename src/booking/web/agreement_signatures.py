"""Who signed what: one signature to print, all of them as a file, and texts as they were."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.agreement_pdf import signature_facts, signature_file
from src.booking.agreement_words import how_signed
from src.booking.queries.agreement_pages import (
    SignatureFacts,
    get_agreement_row,
    get_signature,
    get_version,
    list_signatures,
    list_versions,
)
from src.booking.views.agreements import SignatureRow, SignatureView, VersionView
from src.booking.web.agreements import MAY_EDIT, ONE, base_of
from src.platform.csvio import CONTENT_TYPE, write_csv
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.pages import AnyRequest, page
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext, TenantSnapshot

VERSION = ONE + "/versions/{number:int}"
SIGNATURE = ONE + "/signatures/{signature_id:uuid}"


@get(VERSION, guards=MAY_EDIT, include_in_schema=False)
async def show_version(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
    number: FromPath[int],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        row = await get_agreement_row(uow, agreement_id)
        version = await get_version(uow, agreement_id, min(number, 2**31 - 1))
        all_of_it = await list_versions(uow, agreement_id)
    view = VersionView(
        title=version.title,
        number=version.number,
        newest=row.number,
        text=version.text,
        sha256=version.sha256,
        published_at=version.published_at,
        published_by=version.published_by,
        signed=next(one.signed for one in all_of_it if one.number == version.number),
        here=f"{base_of(ctx)}/agreements/{agreement_id}",
        base=base_of(ctx),
        zone=ctx.here.zone,
    )
    return page(request, "booking/agreements/version.html", view)


@get(SIGNATURE, guards=MAY_EDIT, include_in_schema=False)
async def show_signature(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
    signature_id: FromPath[UUID],
) -> Response[bytes]:
    """All that is known of it, made for paper too."""
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_signature(uow, signature_id, agreement_id=agreement_id)
    here = f"{base_of(ctx)}/agreements/{agreement_id}"
    view = signature_view(
        found,
        ctx.here,
        back=here,
        back_label=found.row.title,
        pdf_href=f"{here}/signatures/{signature_id}/signature.pdf",
    )
    return page(request, "booking/agreements/signature.html", view)


def signature_view(
    found: SignatureFacts,
    tenant: TenantSnapshot,
    *,
    back: str,
    back_label: str,
    pdf_href: str,
    is_own: bool = False,
) -> SignatureView:
    """`is_own`: whoever signed looks at it, without what the business keeps of their connection."""
    return SignatureView(
        row=found.row,
        text=found.text,
        facts=signature_facts(found, tenant, is_own=is_own),
        published_at=found.published_at,
        business=tenant.name,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        back=back,
        back_label=back_label,
        pdf_href=pdf_href,
        zone=tenant.zone,
    )


@get(SIGNATURE + "/signature.pdf", guards=MAY_EDIT, include_in_schema=False)
async def show_signature_pdf(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
    signature_id: FromPath[UUID],
) -> Response[bytes]:
    """The same as a file to keep, drawn anew each time it is asked for."""
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_signature(uow, signature_id, agreement_id=agreement_id)
    return pdf_answer(found, ctx.here, is_own=False)


def pdf_answer(found: SignatureFacts, tenant: TenantSnapshot, *, is_own: bool) -> Response[bytes]:
    file = signature_file(found, tenant, is_own=is_own)
    headers = {
        "content-disposition": f'inline; filename="{file.filename}"',
        "cache-control": "private, no-store",
        "x-robots-tag": "noindex",
    }
    return Response(file.content, media_type=file.content_type, headers=headers)


@post(ONE + "/export", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def export_signatures(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    """Who signed which version, as a file; who took it along is in the log."""
    async with services.uow_factory(ctx.here.id) as uow:
        agreement = await get_agreement_row(uow, agreement_id)
        rows = await list_signatures(uow, agreement_id)
        detail = {"name": agreement.title, "rows": len(rows)}
        await audit(uow, ctx, "agreement.exported", "agreement", agreement_id, **detail)
    header = [
        _("Signed as"),
        _("Customer"),
        _("E-mail"),
        _("Agreement"),
        _("Version"),
        _("Signed on"),
        _("Time"),
        _("How"),
        _("Order"),
    ]
    content = write_csv(header, [_cells(row, ctx) for row in rows])
    disposition = f'attachment; filename="signatures-{agreement.slug}.csv"'
    return Response(content, media_type=CONTENT_TYPE, headers={"content-disposition": disposition})


def _cells(row: SignatureRow, ctx: RequestContext) -> list[str | int | None]:
    at = to_local(row.signed_at, ctx.here.zone)
    return [
        row.name,
        row.customer_name,
        row.email,
        row.title,
        row.number,
        at.date().isoformat(),
        f"{at:%H:%M:%S}",
        how_signed(row.how, is_proved=row.is_proved),
        row.reference,
    ]


route_handlers: list[Any] = [
    show_version,
    show_signature,
    show_signature_pdf,
    export_signatures,
]
