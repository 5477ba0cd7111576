"""What happened to users and businesses."""

from typing import ClassVar, Literal
from uuid import UUID

from src.platform.outbox.events import Event


class TimezoneChanged(Event, frozen=True, kw_only=True):
    """The business's clock changed; `keep` is what upcoming sessions were to keep."""

    topic: ClassVar[str] = "tenants.timezone_changed"
    old: str
    new: str
    keep: Literal["instants", "wall_clock"]


class EmailToConfirm(Event, frozen=True, kw_only=True):
    """A user has yet to prove an e-mail address; each asking is an occasion of its own."""

    topic: ClassVar[str] = "tenants.email_to_confirm"
    user_id: UUID
    asked_id: UUID


class SignUpAsked(Event, frozen=True, kw_only=True):
    """Somebody signed up; the address may be a user's already, which the job finds out."""

    topic: ClassVar[str] = "tenants.sign_up_asked"
    sign_up_id: UUID
    asked_id: UUID


class PasswordForgotten(Event, frozen=True, kw_only=True):
    """Somebody asked for a way to set a new password; the address may be nobody's."""

    topic: ClassVar[str] = "tenants.password_forgotten"
    email: str
    asked_id: UUID


class MemberInvited(Event, frozen=True, kw_only=True):
    """Somebody is to join; each sending is an occasion of its own."""

    topic: ClassVar[str] = "tenants.member_invited"
    invitation_id: UUID
    asked_id: UUID


class MemberChanged(Event, frozen=True, kw_only=True):
    """A member has another role, or none any more (`role` is None): they are told."""

    topic: ClassVar[str] = "tenants.member_changed"
    user_id: UUID
    role: str | None
    by: str
    change_id: UUID


class PortalCodeAsked(Event, frozen=True, kw_only=True):
    """Somebody asked for a way into their own pages; the address may be nobody's. `code_id` is the
    row, and each asking an occasion of its own.
    """

    topic: ClassVar[str] = "tenants.portal_code_asked"
    code_id: UUID
    email: str
    asked_id: UUID


class OwnAddressAsked(Event, frozen=True, kw_only=True):
    """A signed-in guest wants to be written to at another address, which is not proved yet."""

    topic: ClassVar[str] = "tenants.own_address_asked"
    customer_id: UUID
    email: str
    asked_id: UUID


class OwnAddressChanged(Event, frozen=True, kw_only=True):
    """A guest has proved another address; the former one is told, in case it was not them."""

    topic: ClassVar[str] = "tenants.own_address_changed"
    customer_id: UUID
    former: str
    change_id: UUID
