"""/app/<slug>/settings/log: what was done in the business, and by whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.platform.services import Services
from src.platform.web.forms import bind, form_data
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.queries.settings import list_log
from src.tenants.views.settings import LogEntry
from src.tenants.web.audit_words import actor_words, log_sentence
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs


class LogQuery(msgspec.Struct):
    """Which part of the log; nothing means the newest."""

    before: UUID | None = None
    after: UUID | None = None


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One act in words."""

    at: datetime
    who: str
    what: str


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the log; times are on the business's clock."""

    tabs: list[Tab]
    lines: list[LogLine]
    zone: str
    newer_href: str | None
    older_href: str | None


@get("/app/{slug:str}/settings/log", guards=MAY_SET, include_in_schema=False)
async def show_log(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    query = bind(LogQuery, form_data(request.query_params)).struct or LogQuery()
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_log(uow, older_than=query.before, newer_than=query.after)
    base = settings_path(ctx, "log")
    view = LogView(
        tabs=settings_tabs(ctx, "log"),
        lines=[_line(entry) for entry in found.entries],
        zone=ctx.here.timezone,
        newer_href=f"{base}?after={found.newer_than}" if found.newer_than else None,
        older_href=f"{base}?before={found.older_than}" if found.older_than else None,
    )
    return page(request, "tenants/settings/log.html", view)


def _line(entry: LogEntry) -> LogLine:
    return LogLine(
        at=entry.at,
        who=actor_words(entry.actor_kind, entry.actor),
        what=log_sentence(entry.action, entry.detail),
    )


route_handlers = [show_log]
