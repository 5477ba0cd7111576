"""The first page of /admin, and the platform's log."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from msgspec import Meta

from src.platform.services import Services
from src.platform.web.forms import bind, form_data
from src.platform.web.pages import page
from src.tenants.queries.admin import get_desk
from src.tenants.queries.platform_audit import list_platform_audit
from src.tenants.views.admin import AuditRow
from src.tenants.web.audit_words import platform_sentence


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the log."""

    rows: list[AuditRow]
    newer_href: str | None
    older_href: str | None


class PageQuery(msgspec.Struct):
    """Which page of a list."""

    page: Annotated[int, Meta(ge=1, le=10_000)] = 1


@get("/", include_in_schema=False)
async def show_desk(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    desk = await get_desk(services.uow_factory, services.clock.now())
    return page(request, "tenants/admin/desk.html", desk)


@get("/audit", include_in_schema=False)
async def show_log(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    query = bind(PageQuery, form_data(request.query_params)).struct or PageQuery()
    async with services.uow_factory(None) as uow:
        rows, has_older = await list_platform_audit(uow, page=query.page)
    view = AuditView(
        rows=[msgspec.structs.replace(row, action=platform_sentence(row.action)) for row in rows],
        newer_href=f"/admin/audit?page={query.page - 1}" if query.page > 1 else None,
        older_href=f"/admin/audit?page={query.page + 1}" if has_older else None,
    )
    return page(request, "tenants/admin/audit.html", view)
