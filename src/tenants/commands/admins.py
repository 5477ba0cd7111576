"""Platform admins: how one is made, and what they may do to a business as a whole."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update

from src.platform.addresses import NotAnAddress, email_address
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.passwords import weakness_of
from src.tenants.commands.audit import audit
from src.tenants.commands.platform_audit import audit_platform
from src.tenants.context import RequestContext
from src.tenants.domain.roles import TenantStatus
from src.tenants.models import Member, PlatformAudit, Tenant, User

LONGEST_NAME = 100


class NewAdmin(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of somebody who becomes a platform admin."""

    email: str
    name: str
    password: str


class SetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was decided looking at the tenant in `expected`."""

    tenant_id: UUID
    status: TenantStatus
    expected: TenantStatus
    reason: str


_SETTABLE = {
    TenantStatus.ACTIVE: {TenantStatus.SUSPENDED, TenantStatus.PAUSED},
    TenantStatus.PAST_DUE: {TenantStatus.SUSPENDED, TenantStatus.PAUSED, TenantStatus.ACTIVE},
    TenantStatus.PAUSED: {TenantStatus.SUSPENDED, TenantStatus.ACTIVE},
    TenantStatus.SUSPENDED: {TenantStatus.ACTIVE},
    TenantStatus.CLOSED: {TenantStatus.ACTIVE},
}


def next_statuses(status: TenantStatus) -> list[TenantStatus]:
    """Where an admin may take a business from here."""
    return [one for one in TenantStatus if one in _SETTABLE[status]]


def normalised_email(text: str) -> str:
    """Trimmed and in lower case. Raises: InvalidInput."""
    try:
        return email_address(text).lower()
    except NotAnAddress as wrong:
        raise InvalidInput(wrong.message, fields={"email": wrong.message}) from None


def check_admin(new: NewAdmin) -> NewAdmin:
    """What was given, made tidy. Raises: InvalidInput with every field that will not do."""
    fields: dict[str, str] = {}
    email, name = new.email, " ".join(new.name.split())
    try:
        email = normalised_email(new.email)
    except InvalidInput as refusal:
        fields |= refusal.fields
    if not 1 <= len(name) <= LONGEST_NAME:
        fields["name"] = _("Please give a name of at most %(most)s characters.", most=LONGEST_NAME)
    weakness = weakness_of(new.password, (email, name))
    if weakness is not None:
        fields["password"] = weakness
    if fields:
        raise InvalidInput(" ".join(fields.values()), fields=fields)
    return NewAdmin(email=email, name=name, password=new.password)


async def make_admin(
    uow: UnitOfWork,
    new: NewAdmin,
    password_hash: str,
    now: datetime,
    *,
    unproved: bool = False,
    replace_password: bool = False,
) -> bool:
    """Adds the admin, confirmed, or makes one of a user who is there, keeping who they are.

    Returns whether the user is new. The password of a known user is set anew, and their sessions
    are over: whoever runs the command may do anything here, whoever was signed in may not.
    Raises: Conflict for a user whose address nobody has proved, since anybody may have signed up
    with it; with `unproved` they are taken all the same, and belong to no business afterwards. Also
    for any other known user, unless `replace_password`: nobody loses a password unasked.
    """
    known = await uow.session.scalar(
        select(User).where(User.email == new.email).with_for_update(key_share=True)
    )
    if known is not None and known.email_confirmed_at is None:
        if not unproved:
            raise Conflict(
                _("Somebody signed up with this address and has not proved that it is theirs.")
            )
        await uow.session.execute(delete(Member).where(Member.user_id == known.id))
    elif known is not None and not replace_password:
        raise Conflict(
            _("%(email)s has an account already, with a password of its own.", email=new.email),
            code="known_user",
        )
    action = _made(known)
    user = known or User(
        id=new_id(), email=new.email, name=new.name, locale="en-GB", created_at=now
    )
    user.password_hash = password_hash
    user.is_platform_admin = True
    user.signed_out_at = now
    user.email_confirmed_at = user.email_confirmed_at or now
    uow.session.add(user)
    uow.session.add(
        PlatformAudit(
            id=new_id(),
            actor_user_id=None,
            action=action,
            subject=f"user:{user.id}",
            detail={
                "actor": "command line",
                "email": new.email,
                "password": "set" if known is None else "replaced",
            },
            at=now,
        )
    )
    return known is None


def _made(known: User | None) -> str:
    if known is None:
        return "admin.created"
    return "admin.password_replaced" if known.is_platform_admin else "admin.promoted"


async def set_status(uow: UnitOfWork, ctx: RequestContext, cmd: SetStatus) -> None:
    """Suspends a business, pauses it, or lets it work again; in the tenant's own transaction.

    Raises: NotFound, Conflict when it is in another state than was looked at, InvalidInput.
    """
    if not cmd.reason.strip():
        message = _("Please say why; the business can read it in its log.")
        raise InvalidInput(message, fields={"reason": message})
    if cmd.status not in _SETTABLE[cmd.expected]:
        raise InvalidInput(_("This is not possible from here."))
    changed = await uow.session.execute(
        update(Tenant)
        .where(Tenant.id == cmd.tenant_id, Tenant.status == cmd.expected.value)
        .values(status=cmd.status.value)
        .returning(Tenant.id)
    )
    if changed.first() is None:
        await _explain(uow, cmd.tenant_id)
    detail = {"from": cmd.expected.value, "to": cmd.status.value, "reason": cmd.reason}
    audit_platform(uow, ctx, "tenant.status_changed", f"tenant:{cmd.tenant_id}", **detail)
    await audit(uow, ctx, "status_changed", "tenant", cmd.tenant_id, **detail)


async def _explain(uow: UnitOfWork, tenant_id: UUID) -> None:
    """Raises: what kept the status from being changed."""
    if await uow.session.scalar(select(Tenant.id).where(Tenant.id == tenant_id)) is None:
        raise NotFound(_("There is no such business."))
    raise Conflict(
        _("Someone else has changed this business in the meantime. Here it is as it is now.")
    )
