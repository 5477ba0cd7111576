"""The catalogue of bolt-ons, and what one tenant has of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, select
from sqlalchemy.orm import aliased

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.bolt_ons import BoltOnVisibility, OfferedBoltOn
from src.tenants.domain.entitlements import Feature, Limit, known_features, known_limits
from src.tenants.models import BoltOn, BoltOnVersion, TenantBoltOn, User


async def list_bolt_ons(uow: UnitOfWork) -> list[OfferedBoltOn]:
    """Every bolt-on with its newest version, in the order of the price list."""
    rows = await uow.session.execute(_newest_versions())
    return sorted((_offered(row) for row in rows), key=lambda one: (one.position, one.key))


async def find_bolt_on(uow: UnitOfWork, key: str) -> OfferedBoltOn | None:
    """The bolt-on with its newest version."""
    row = (await uow.session.execute(_newest_versions().where(BoltOn.key == key))).first()
    return _offered(row) if row is not None else None


def _newest_versions() -> Select[Any]:
    return (
        select(BoltOn, BoltOnVersion)
        .join_from(BoltOn, BoltOnVersion, BoltOnVersion.bolt_on_id == BoltOn.id)
        .distinct(BoltOn.id)
        .order_by(BoltOn.id, BoltOnVersion.version.desc())
    )


def _offered(row: Row[Any]) -> OfferedBoltOn:
    bolt_on: BoltOn = row.BoltOn
    version: BoltOnVersion = row.BoltOnVersion
    return OfferedBoltOn(
        bolt_on_id=bolt_on.id,
        version_id=version.id,
        version=version.version,
        key=bolt_on.key,
        name=bolt_on.name,
        summary=bolt_on.summary,
        position=bolt_on.position,
        visibility=BoltOnVisibility(bolt_on.visibility),
        active=bolt_on.active,
        monthly_minor=version.monthly_minor,
        yearly_minor=version.yearly_minor,
        currency=version.currency,
        features=known_features(version.features),
        increments=known_limits(version.limit_increments),
    )


class HeldBoltOn(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on that a tenant has, on the terms it took it with."""

    held_id: UUID
    version_id: UUID
    version: int
    key: str
    name: str
    summary: str
    monthly_minor: int
    yearly_minor: int
    currency: str
    features: frozenset[Feature]
    increments: dict[Limit, int]
    since: datetime
    given_by: str
    note: str


async def list_held(uow: UnitOfWork, tenant_id: UUID) -> list[HeldBoltOn]:
    """What the tenant has now, in the order of the price list; in its own transaction."""
    giver = aliased(User)
    rows = await uow.session.execute(
        select(TenantBoltOn, BoltOn, BoltOnVersion, giver.name.label("given_by"))
        .join(BoltOnVersion, BoltOnVersion.id == TenantBoltOn.version_id)
        .join(BoltOn, BoltOn.id == TenantBoltOn.bolt_on_id)
        .outerjoin(giver, giver.id == TenantBoltOn.given_by)
        .where(TenantBoltOn.tenant_id == tenant_id, TenantBoltOn.ended_at.is_(None))
        .order_by(BoltOn.position, BoltOn.key)
    )
    return [_held(row) for row in rows]


def _held(row: Row[Any]) -> HeldBoltOn:
    held: TenantBoltOn = row.TenantBoltOn
    bolt_on: BoltOn = row.BoltOn
    version: BoltOnVersion = row.BoltOnVersion
    return HeldBoltOn(
        held_id=held.id,
        version_id=version.id,
        version=version.version,
        key=bolt_on.key,
        name=bolt_on.name,
        summary=bolt_on.summary,
        monthly_minor=version.monthly_minor,
        yearly_minor=version.yearly_minor,
        currency=version.currency,
        features=known_features(version.features),
        increments=known_limits(version.limit_increments),
        since=held.since,
        given_by=row.given_by or "",
        note=held.note,
    )
