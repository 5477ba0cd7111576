"""The platform's own log."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.tenants.models import BoltOn, Plan, PlatformAudit, Tenant, User
from src.tenants.views.admin import AuditRow

PAGE_ROWS = 50


async def list_platform_audit(
    uow: UnitOfWork, *, page: int = 1, subject: str | None = None
) -> tuple[list[AuditRow], bool]:
    """Entries newest first, and whether there are older ones."""
    statement = select(PlatformAudit).order_by(PlatformAudit.at.desc(), PlatformAudit.id.desc())
    if subject is not None:
        statement = statement.where(PlatformAudit.subject == subject)
    first = (max(1, page) - 1) * PAGE_ROWS
    found = (await uow.session.scalars(statement.limit(PAGE_ROWS + 1).offset(first))).all()
    names = await _names(uow, [entry.subject for entry in found])
    return [_row(entry, names) for entry in found[:PAGE_ROWS]], len(found) > PAGE_ROWS


async def _names(uow: UnitOfWork, subjects: list[str]) -> dict[str, str]:
    """What businesses, plans and bolt-ons are called now."""
    tenant_ids = [UUID(text) for kind, text in map(_parts, subjects) if kind == "tenant"]
    tenants = await uow.session.execute(
        select(Tenant.id, Tenant.name).where(Tenant.id.in_(tenant_ids))
    )
    user_ids = [UUID(text) for kind, text in map(_parts, subjects) if kind == "user"]
    users = await uow.session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))
    plans = await uow.session.execute(select(Plan.key, Plan.name))
    bolt_ons = await uow.session.execute(select(BoltOn.key, BoltOn.name))
    return (
        {f"tenant:{key}": name for key, name in tenants}
        | {f"user:{key}": name for key, name in users}
        | {f"plan:{key}": name for key, name in plans}
        | {f"bolt_on:{key}": name for key, name in bolt_ons}
    )


def _row(entry: PlatformAudit, names: dict[str, str]) -> AuditRow:
    detail = dict(entry.detail)
    actor = str(detail.pop("actor", ""))
    return AuditRow(
        at=entry.at,
        actor=actor,
        action=entry.action,
        subject=names.get(entry.subject, entry.subject),
        subject_href=_href(entry.subject),
        detail=", ".join(
            f"{name}: {_shown(value)}"
            for name, value in detail.items()
            if value and not _is_id(value)
        ),
    )


def _href(subject: str) -> str | None:
    kind, key = _parts(subject)
    places = {"tenant": "tenants", "plan": "plans", "bolt_on": "bolt-ons"}
    return f"/admin/{places[kind]}/{key}" if kind in places else None


def _parts(subject: str) -> tuple[str, str]:
    kind, _separator, key = subject.partition(":")
    return kind, key


def _is_id(value: Any) -> bool:
    """Versions and grants are named beside their ids; the ids are for programs."""
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _shown(value: Any) -> str:
    """A value in one line; a pair is what it was and what it became."""
    if isinstance(value, list) and len(value) == 2:
        return f"{_shown(value[0])} → {_shown(value[1])}"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return " ".join(f"{key}={inner}" for key, inner in value.items()) or "-"
    return str(value)
