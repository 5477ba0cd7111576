"""People as pages show them."""

from uuid import UUID

import msgspec

from src.tenants.domain.roles import Role, TenantStatus


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant that a signed-in user may open."""

    id: UUID
    slug: str
    name: str
    role: Role
    status: TenantStatus


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in user and everything they belong to, businesses by name."""

    user_id: UUID
    name: str
    email: str
    locale: str
    is_email_confirmed: bool
    is_platform_admin: bool
    businesses: tuple[Business, ...]

    def role_in(self, tenant_id: UUID) -> Role | None:
        return next((known.role for known in self.businesses if known.id == tenant_id), None)


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """One member in the list of a business."""

    user_id: UUID
    name: str
    email: str
    role: Role
