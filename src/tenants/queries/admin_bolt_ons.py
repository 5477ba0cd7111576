"""Bolt-ons as the platform's admins see them: who has which version.

What a business has is in its own rows; counted is by the snapshots, which are in a directory.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.domain.bolt_ons import OfferedBoltOn
from src.tenants.domain.entitlements import known_features, known_limits
from src.tenants.models import BoltOnVersion, User
from src.tenants.plan_words import all_addition_sentences
from src.tenants.queries.bolt_ons import find_bolt_on, list_bolt_ons
from src.tenants.views.admin import BoltOnDetail, BoltOnHolder, BoltOnRow, BoltOnVersionRow

LONGEST_LIST = 100

_COUNTS = text("""
    SELECT held ->> 'version_id', count(*)
    FROM tenants CROSS JOIN jsonb_array_elements(entitlements -> 'bolt_ons') AS held GROUP BY 1
""")
_WHO = text("""
    SELECT t.id AS tenant_id, t.name, b.version, p.name AS plan_name
    FROM tenants t CROSS JOIN jsonb_array_elements(t.entitlements -> 'bolt_ons') AS held
    JOIN bolt_on_versions b ON b.id = CAST(held ->> 'version_id' AS uuid)
    JOIN plan_versions v ON v.id = t.plan_version_id JOIN plans p ON p.id = v.plan_id
    WHERE held ->> 'key' = :key ORDER BY t.created_at DESC, t.id LIMIT :most
""")


async def list_bolt_on_rows(uow: UnitOfWork) -> list[BoltOnRow]:
    """Every bolt-on, hidden and ended ones too, with how many have it."""
    on_version = await _counts(uow)
    of_bolt_on: dict[UUID, int] = {}
    versions = await uow.session.execute(select(BoltOnVersion.id, BoltOnVersion.bolt_on_id))
    for version_id, bolt_on_id in versions:
        count = on_version.get(version_id, 0)
        of_bolt_on[bolt_on_id] = of_bolt_on.get(bolt_on_id, 0) + count
    return [
        BoltOnRow(
            key=one.key,
            name=one.name,
            visibility=one.visibility.value,
            active=one.active,
            version=one.version,
            monthly_minor=one.monthly_minor,
            yearly_minor=one.yearly_minor,
            currency=one.currency,
            additions=all_addition_sentences(one.features, one.increments),
            tenants=of_bolt_on[one.bolt_on_id],
            tenants_on_older=of_bolt_on[one.bolt_on_id] - on_version.get(one.version_id, 0),
        )
        for one in await list_bolt_ons(uow)
    ]


async def get_bolt_on_detail(uow: UnitOfWork, key: str) -> BoltOnDetail:
    """The bolt-on with all versions, newest first, and who has it. Raises: NotFound."""
    bolt_on = await find_bolt_on(uow, key)
    if bolt_on is None:
        raise NotFound(_("There is no such bolt-on."))
    on_version = await _counts(uow)
    rows = await uow.session.execute(
        select(BoltOnVersion, User.name.label("created_by_name"))
        .outerjoin(User, User.id == BoltOnVersion.created_by)
        .where(BoltOnVersion.bolt_on_id == bolt_on.bolt_on_id)
        .order_by(BoltOnVersion.version.desc())
    )
    return BoltOnDetail(
        key=bolt_on.key,
        name=bolt_on.name,
        summary=bolt_on.summary,
        visibility=bolt_on.visibility.value,
        active=bolt_on.active,
        versions=tuple(_version_row(row, on_version) for row in rows),
        holders=await _holders(uow, bolt_on),
    )


def _version_row(row: Row[Any], on_version: dict[UUID, int]) -> BoltOnVersionRow:
    version: BoltOnVersion = row.BoltOnVersion
    return BoltOnVersionRow(
        version=version.version,
        monthly_minor=version.monthly_minor,
        yearly_minor=version.yearly_minor,
        currency=version.currency,
        additions=all_addition_sentences(
            known_features(version.features), known_limits(version.limit_increments)
        ),
        created_at=version.created_at,
        created_by=row.created_by_name or _("shipped with Seatline"),
        tenants=on_version.get(version.id, 0),
    )


async def _counts(uow: UnitOfWork) -> dict[UUID, int]:
    """How many have each version that anybody has."""
    found = await uow.session.execute(_COUNTS)
    return {UUID(version_id): count for version_id, count in found}


async def _holders(uow: UnitOfWork, bolt_on: OfferedBoltOn) -> tuple[BoltOnHolder, ...]:
    """The newest businesses that have it."""
    found = await uow.session.execute(_WHO, {"key": bolt_on.key, "most": LONGEST_LIST})
    return tuple(
        BoltOnHolder(
            tenant_id=row.tenant_id, name=row.name, plan_name=row.plan_name, version=row.version
        )
        for row in found
    )
