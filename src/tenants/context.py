"""Who is asking, and in which tenant: frozen at the edge, handed to every command."""

from datetime import datetime
from functools import cached_property
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.platform.errors import NotFound, SignInRequired
from src.platform.i18n import _
from src.tenants.domain.entitlements import Entitlements
from src.tenants.domain.roles import Role, TenantStatus

ActorKind = Literal["user", "guest", "api_key", "system"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """The one who acts; `role` is the user's in the context's tenant."""

    kind: ActorKind
    user_id: UUID | None = None
    name: str = ""
    role: Role | None = None
    is_platform_admin: bool = False


GUEST = Actor(kind="guest", name="guest")
SYSTEM = Actor(kind="system", name="system")


class TenantSnapshot(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A tenant as it was when the request began."""

    id: UUID
    slug: str
    name: str
    timezone: str
    currency: str
    locale: str
    country: str
    status: TenantStatus
    brand_color: str
    about: str
    contact_email: str
    contact_phone: str
    booking_terms: str
    payments_ready: bool
    entitlements: Entitlements
    logo_url: str | None = None
    seats_told_up_to: int | None = None
    """Guests read how many seats are left while it is no more than that; None: always."""
    is_confirmed: bool = True
    """Whether an owner has proved an e-mail address; until then guests read "opening soon"."""
    asked_plans: dict[str, datetime] = {}
    """For who is signed in: plans that an answer is waited for, by key when each was asked for."""
    asked_bolt_ons: dict[str, datetime] = {}
    """The same of bolt-ons."""

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def zone_name(self) -> str:
        """As people read it."""
        return self.timezone.replace("_", " ")


class RequestContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a command knows of its caller."""

    actor: Actor
    tenant: TenantSnapshot | None = None
    request_id: str = ""

    @property
    def here(self) -> TenantSnapshot:
        """The tenant. Raises: NotFound outside of any tenant."""
        if self.tenant is None:
            raise NotFound(_("There is nothing here."))
        return self.tenant

    @property
    def user_id(self) -> UUID:
        """The signed-in user. Raises: SignInRequired for anyone else."""
        if self.actor.user_id is None:
            raise SignInRequired(_("Please sign in first."))
        return self.actor.user_id
