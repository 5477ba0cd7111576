"""People as pages show them."""

from datetime import datetime
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
    """The signed-in user and everything they belong to, businesses by name.

    Sessions that were begun before `signed_out_at` are over.
    """

    user_id: UUID
    name: str
    email: str
    locale: str
    is_email_confirmed: bool
    is_platform_admin: bool
    signed_out_at: datetime | None
    businesses: tuple[Business, ...]

    def has_ended(self, session_began_at: datetime) -> bool:
        """Whether a session of this person is over, since a new password or right came after it."""
        return self.signed_out_at is not None and session_began_at < self.signed_out_at

    def role_in(self, tenant_id: UUID) -> Role | None:
        return next((known.role for known in self.businesses if known.id == tenant_id), None)


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """One member in the list of a business."""

    user_id: UUID
    name: str
    email: str
    role: Role
