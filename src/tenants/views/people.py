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

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: Role


class TeamRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member on the team's page; `performer` is whose sessions are theirs.

    `may_change` is whether the one who looks may.
    """

    id: UUID
    name: str
    email: str
    role: Role
    is_me: bool
    performer: str | None
    may_change: bool


class InvitationRow(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that nobody has answered; one that is over can be sent again."""

    id: UUID
    email: str
    role: Role
    performer: str | None
    by: str
    expires_at: datetime
    is_over: bool
    may_change: bool


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone who may open the business, and who is asked to; `used` counts both."""

    members: list[TeamRow]
    invitations: list[InvitationRow]

    @property
    def used(self) -> int:
        return len(self.members) + sum(not one.is_over for one in self.invitations)


class MemberDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One member with what removing them would mean."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: Role
    performer_id: UUID | None
    performer: str | None
    api_keys: int
    """Keys in use that they made; these go on working."""
