"""Users and the businesses they are members of."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Label, Row, ScalarSelect, exists, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.roles import Role
from src.tenants.models import Member, Tenant, User
from src.tenants.views.people import Business, MemberRow, Person


def person_columns() -> tuple[Label[Any], ...]:
    """The columns of `users` that make a Person, under names that collide with no other table."""
    return (
        User.id.label("user_id"),
        User.name.label("user_name"),
        User.email.label("user_email"),
        User.locale.label("user_locale"),
        User.email_confirmed_at.label("user_email_confirmed_at"),
        User.is_platform_admin.label("user_is_platform_admin"),
        User.signed_out_at.label("user_signed_out_at"),
    )


def businesses_of(user_id: UUID) -> Label[Any]:
    """All memberships of the user as one document, so that they come with the same row."""
    pairs: list[Any] = []
    for key, column in (
        ("id", Tenant.id),
        ("slug", Tenant.slug),
        ("name", Tenant.name),
        ("role", Member.role),
        ("status", Tenant.status),
    ):
        pairs += [literal(key), column]
    found: ScalarSelect[Any] = (
        select(func.coalesce(func.jsonb_agg(func.jsonb_build_object(*pairs)), literal([], JSONB)))
        .join_from(Member, Tenant, Tenant.id == Member.tenant_id)
        .where(Member.user_id == user_id)
        .correlate(None)
        .scalar_subquery()
    )
    return found.label("businesses")


def person_from(row: Row[Any]) -> Person:
    """The person of a row with `person_columns` and `businesses_of`."""
    businesses = msgspec.convert(row.businesses, tuple[Business, ...])
    return Person(
        user_id=row.user_id,
        name=row.user_name,
        email=row.user_email,
        locale=row.user_locale,
        is_email_confirmed=row.user_email_confirmed_at is not None,
        is_platform_admin=row.user_is_platform_admin,
        signed_out_at=row.user_signed_out_at,
        businesses=tuple(sorted(businesses, key=lambda known: known.name.casefold())),
    )


async def find_person(uow: UnitOfWork, user_id: UUID) -> Person | None:
    """The user with all their businesses, None when the user is gone."""
    statement = select(*person_columns(), businesses_of(user_id)).where(User.id == user_id)
    row = (await uow.session.execute(statement)).first()
    return person_from(row) if row is not None else None


async def list_members(uow: UnitOfWork, tenant_id: UUID) -> list[MemberRow]:
    """Everyone who may open the business, owners first."""
    rows = await uow.session.execute(
        select(Member.id.label("member_id"), User.id, User.name, User.email, Member.role)
        .join_from(Member, User, User.id == Member.user_id)
        .where(Member.tenant_id == tenant_id)
        .order_by(User.name)
    )
    members = [
        MemberRow(
            id=row.member_id,
            user_id=row.id,
            name=row.name,
            email=row.email,
            role=Role(row.role),
        )
        for row in rows
    ]
    order = [Role.OWNER, Role.MANAGER, Role.INSTRUCTOR]
    return sorted(members, key=lambda member: order.index(member.role))


def has_confirmed_owner(tenant_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether at least one owner of the tenant has proved an e-mail address, as a condition."""
    return exists(
        select(literal(1))
        .join_from(Member, User, User.id == Member.user_id)
        .where(
            Member.tenant_id == tenant_id,
            Member.role == Role.OWNER.value,
            User.email_confirmed_at.is_not(None),
        )
    )


async def list_managers(uow: UnitOfWork) -> list[User]:
    """Who decides for the business: its owners and managers."""
    found = await uow.session.scalars(
        select(User)
        .join(Member, Member.user_id == User.id)
        .where(
            Member.tenant_id == uow.tenant, Member.role.in_([str(Role.OWNER), str(Role.MANAGER)])
        )
        .order_by(User.id)
    )
    return list(found)
