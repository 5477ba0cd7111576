"""Finding a tenant, and with it whoever asks, in one statement on directories."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, bindparam, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import read_sources, resolve_entitlements
from src.tenants.domain.roles import TenantStatus
from src.tenants.models import SignUp, Tenant, TenantSlug, User
from src.tenants.queries.members import (
    businesses_of,
    has_confirmed_owner,
    person_columns,
    person_from,
)
from src.tenants.queries.plan_requests import open_bolt_on_requests, open_requests
from src.tenants.views.people import Person

TENANT_COLUMNS = (
    Tenant.id,
    Tenant.slug,
    Tenant.name,
    Tenant.timezone,
    Tenant.currency,
    Tenant.locale,
    Tenant.country,
    Tenant.status,
    Tenant.brand_color,
    Tenant.about,
    Tenant.contact_email,
    Tenant.contact_phone,
    Tenant.booking_terms,
    Tenant.seats_told_up_to,
    Tenant.payments_ready,
    Tenant.entitlements,
    has_confirmed_owner(Tenant.id).label("is_confirmed"),
)


# Made once: each request asks, and putting it together takes longer than running it.
_BY_ID: Select[Any] = select(*TENANT_COLUMNS).where(Tenant.id == bindparam("tenant_id"))
_BY_SLUG: Select[Any] = (
    select(*TENANT_COLUMNS)
    .where(Tenant.id == TenantSlug.tenant_id)
    .where(TenantSlug.slug == bindparam("slug"))
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request points: the tenant behind a slug, and the signed-in user if there is one.

    The slug asked for may be one that the tenant has left: then it differs from `tenant.slug`.
    """

    tenant: TenantSnapshot
    person: Person | None


async def find_place(uow: UnitOfWork, slug: str, user_id: UUID | None) -> Place | None:
    """The tenant that has or had `slug`, together with the user."""
    statement = _BY_SLUG
    if user_id is not None:
        statement = statement.add_columns(
            *person_columns(),
            businesses_of(user_id),
            open_requests(Tenant.id).label("asked_plans"),
            open_bolt_on_requests(Tenant.id).label("asked_bolt_ons"),
        )
        statement = statement.outerjoin(User, User.id == user_id)
    row = (await uow.session.execute(statement, {"slug": slug})).first()
    if row is None:
        return None
    person = person_from(row) if user_id is not None and row.user_id is not None else None
    tenant = snapshot_from(row, uow.clock.now())
    if person is not None and (row.asked_plans or row.asked_bolt_ons):
        tenant = msgspec.structs.replace(
            tenant,
            asked_plans=msgspec.convert(row.asked_plans or {}, dict[str, datetime]),
            asked_bolt_ons=msgspec.convert(row.asked_bolt_ons or {}, dict[str, datetime]),
        )
    return Place(tenant=tenant, person=person)


async def find_tenant_by_slug(uow: UnitOfWork, slug: str) -> TenantSnapshot | None:
    """The tenant that has `slug` now or had it once; its own `slug` is the current one."""
    place = await find_place(uow, slug, None)
    return place.tenant if place is not None else None


async def tenant_snapshot(uow: UnitOfWork, tenant_id: UUID, now: datetime) -> TenantSnapshot:
    """The tenant as it stands at `now`. Raises: NotFound."""
    row = (await uow.session.execute(_BY_ID, {"tenant_id": tenant_id})).first()
    if row is None:
        raise NotFound(_("There is nothing here."))
    return snapshot_from(row, now)


def snapshot_from(row: Row[Any], now: datetime) -> TenantSnapshot:
    """The snapshot of a row with `TENANT_COLUMNS`, its entitlements judged at `now`."""
    sources = read_sources(row.entitlements)
    return TenantSnapshot(
        id=row.id,
        slug=row.slug,
        name=row.name,
        timezone=row.timezone,
        currency=row.currency,
        locale=row.locale,
        country=row.country,
        status=TenantStatus(row.status),
        brand_color=row.brand_color,
        about=row.about,
        contact_email=row.contact_email,
        contact_phone=row.contact_phone,
        booking_terms=row.booking_terms,
        seats_told_up_to=row.seats_told_up_to,
        payments_ready=row.payments_ready,
        entitlements=resolve_entitlements(sources, now),
        is_confirmed=row.is_confirmed,
    )


async def is_slug_free(
    uow: UnitOfWork,
    slug: str,
    *,
    except_tenant: UUID | None = None,
    except_sign_up: UUID | None = None,
) -> bool:
    """Whether nobody else has or ever had the slug, and no sign-up is keeping it.

    A tenant may go back to one of its own, and a sign-up may be sent again.
    """
    owner = await uow.session.scalar(select(TenantSlug.tenant_id).where(TenantSlug.slug == slug))
    keeper = await uow.session.scalar(
        select(SignUp.id).where(SignUp.slug == slug, SignUp.expires_at > uow.clock.now())
    )
    return owner in (None, except_tenant) and keeper in (None, except_sign_up)
