"""/app/<slug>/settings/log: what was done in the business, and by whom."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.platform.db.uow import UnitOfWork
from src.platform.services import Services
from src.platform.web.forms import bind, form_data
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.log_subjects import LogSubject, find_log_subjects, names_of_plans
from src.tenants.queries.settings import list_log
from src.tenants.role_words import actor_words
from src.tenants.views.settings import LogEntry
from src.tenants.web.audit_words import Around, Told, tell
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs
from src.tenants.worded_mails import find_mail_kind


class LogQuery(msgspec.Struct):
    """Which part of the log; nothing means the newest."""

    before: UUID | None = None
    after: UUID | None = None


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One act in words; `href` leads to what it is about, where that is there still."""

    at: datetime
    who: str
    what: Told
    href: str | None


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
        names = await _names_in(uow, found.entries)
    base = settings_path(ctx, "log")
    view = LogView(
        tabs=settings_tabs(ctx, "log"),
        lines=[_line(entry, names, ctx) for entry in found.entries],
        zone=ctx.here.timezone,
        newer_href=f"{base}?after={found.newer_than}" if found.newer_than else None,
        older_href=f"{base}?before={found.older_than}" if found.older_than else None,
    )
    return page(request, "tenants/settings/log.html", view)


class _Names(NamedTuple):
    """What the entries of a page are about, as far as it is there."""

    subjects: Mapping[tuple[str, UUID], LogSubject]
    plans: Mapping[str, str]


async def _names_in(uow: UnitOfWork, entries: Sequence[LogEntry]) -> _Names:
    wanted = [(one.subject_kind, one.subject_id) for one in entries if one.subject_id]
    wanted += [("session", date) for one in entries if (date := _date_beside(one))]
    of_plans = any("plan" in one.detail for one in entries)
    plans = await names_of_plans(uow) if of_plans else dict[str, str]()
    return _Names(await find_log_subjects(uow, wanted), plans)


def _date_beside(entry: LogEntry) -> UUID | None:
    """The date that the entry names beside what it is about."""
    named = entry.detail.get("session")
    return UUID(named) if isinstance(named, str) else None


def _line(entry: LogEntry, names: _Names, ctx: RequestContext) -> LogLine:
    subject = date = None
    if entry.subject_id is not None:
        subject = names.subjects.get((entry.subject_kind, entry.subject_id))
    if (date_id := _date_beside(entry)) is not None:
        date = names.subjects.get(("session", date_id))
    around = Around(
        zone=ctx.here.zone,
        at=entry.at,
        currency=ctx.here.currency,
        kind=entry.subject_kind,
        subject=subject,
        session=date,
        plans=names.plans,
    )
    page_of = subject or date
    path = page_of.path if page_of is not None else _path_of_mail(entry)
    return LogLine(
        at=entry.at,
        who=actor_words(entry.actor_kind, entry.actor),
        what=tell(entry.action, entry.detail, around),
        href=f"/app/{ctx.here.slug}/{path}" if path else None,
    )


def _path_of_mail(entry: LogEntry) -> str | None:
    key = str(entry.detail.get("name"))
    is_known = entry.subject_kind == "mail" and find_mail_kind(key) is not None
    return f"settings/mails/{key}" if is_known else None


route_handlers = [show_log]
