"""Invitations: somebody is asked by mail to join, and does so once."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Gone, InvalidInput, NotAllowed, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.accounts import NewUser, add_proved_user
from src.tenants.commands.admins import normalised_email
from src.tenants.commands.audit import audit
from src.tenants.commands.team import (
    check_may_make,
    check_performer_is_free,
    count_members,
    hold_team,
    link_performer,
)
from src.tenants.context import Actor, RequestContext
from src.tenants.domain.entitlements import Entitlements, Limit
from src.tenants.domain.link_purposes import INVITATION_LIFETIME
from src.tenants.domain.roles import Role
from src.tenants.events import MemberInvited
from src.tenants.gates import read_price_list, too_many_members
from src.tenants.models import Invitation, Member, Performer, User


def _invited_already() -> InvalidInput:
    sentence = _("This address has an invitation already. You can send it again.")
    return InvalidInput(sentence, fields={"email": sentence})


register_constraint("uq_invitations_open", _invited_already)


class InviteMember(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask; `performer_id` is who they will be."""

    email: str
    role: Role
    performer_id: UUID | None = None


async def invite_member(uow: UnitOfWork, ctx: RequestContext, cmd: InviteMember) -> UUID:
    """Lets a mail with a link leave. Whether the address has an account makes no difference.

    Raises: NotAllowed for a role above the caller's; PlanLimitReached when members and open
    invitations fill the plan; InvalidInput.
    """
    check_may_make(ctx, cmd.role)
    email = normalised_email(cmd.email)
    may = await hold_team(uow)
    await _check_new_here(uow, email)
    if cmd.performer_id is not None:
        await check_performer_is_free(uow, cmd.performer_id)
    await _end_over_ones(uow, email)
    await _check_room(uow, may, await count_members(uow) + await _count_open(uow))
    now, invitation_id = uow.clock.now(), new_id()
    uow.session.add(
        Invitation(
            tenant_id=uow.tenant,
            id=invitation_id,
            email=email,
            role=str(cmd.role),
            performer_id=cmd.performer_id,
            invited_by=ctx.user_id,
            created_at=now,
            expires_at=now + INVITATION_LIFETIME,
        )
    )
    detail = {"name": email, "role": str(cmd.role)}
    await audit(uow, ctx, "member.invited", "invitation", invitation_id, **detail)
    uow.record(MemberInvited(invitation_id=invitation_id, asked_id=new_id()))
    return invitation_id


async def resend_invitation(uow: UnitOfWork, ctx: RequestContext, invitation_id: UUID) -> str:
    """A new mail, and the full time again. Returns the address.

    Raises: NotFound when it is not open; NotAllowed; PlanLimitReached when it was over and its
    place is taken.
    """
    may = await hold_team(uow)
    invitation = await _open(uow, invitation_id)
    check_may_make(ctx, Role(invitation.role))
    if invitation.expires_at <= uow.clock.now():
        await _check_room(uow, may, await count_members(uow) + await _count_open(uow))
    invitation.expires_at = uow.clock.now() + INVITATION_LIFETIME
    await audit(
        uow, ctx, "member.invited_again", "invitation", invitation_id, name=invitation.email
    )
    uow.record(MemberInvited(invitation_id=invitation_id, asked_id=new_id()))
    return invitation.email


async def revoke_invitation(uow: UnitOfWork, ctx: RequestContext, invitation_id: UUID) -> str:
    """Its link opens nothing any more. Returns the address. Raises: NotFound; NotAllowed."""
    await hold_team(uow)
    invitation = await _open(uow, invitation_id)
    check_may_make(ctx, Role(invitation.role))
    invitation.revoked_at = uow.clock.now()
    await audit(
        uow, ctx, "member.invitation_revoked", "invitation", invitation_id, name=invitation.email
    )
    return invitation.email


async def find_invitation(uow: UnitOfWork, invitation_id: UUID) -> Invitation:
    """Raises: Gone when it is accepted, revoked or over."""
    found: Invitation | None = await uow.session.scalar(
        select(Invitation).where(
            Invitation.tenant_id == uow.tenant,
            Invitation.id == invitation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > uow.clock.now(),
        )
    )
    if found is None:
        raise Gone(_("This invitation is not open any more. Please ask for a new one."))
    return found


async def accept_invitation(uow: UnitOfWork, invitation_id: UUID, user_id: UUID) -> None:
    """Makes the user a member, their address proved by the link that led here.

    Raises: Gone; NotAllowed when the invitation is for another address; Conflict when the plan has
    no room by now.
    """
    may = await hold_team(uow)
    invitation = await find_invitation(uow, invitation_id)
    user = await uow.session.get_one(User, user_id)
    if user.email != invitation.email:
        raise NotAllowed(_("This invitation is for another address."))
    invitation.accepted_at = now = uow.clock.now()
    user.email_confirmed_at = user.email_confirmed_at or now
    if not await _is_member(uow, user_id):
        await _join(uow, invitation, user, may)


async def join_as_new_user(
    uow: UnitOfWork, invitation_id: UUID, name: str, password_hash: str, locale: str
) -> UUID:
    """A user for the invited address, and a member at once. Returns the user.

    Raises: what `accept_invitation` raises; Conflict when the address has an account by now.
    """
    invitation = await find_invitation(uow, invitation_id)
    who = NewUser(name=name, email=invitation.email, password_hash=password_hash)
    user_id = await add_proved_user(uow, who, locale)
    if user_id is None:
        raise Conflict(_("There is an account for this address already. Please sign in."))
    await accept_invitation(uow, invitation_id, user_id)
    return user_id


async def prune_invitations(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` invitations that were over before `before`. Returns how many."""
    oldest = (
        select(Invitation.id)
        .where(Invitation.tenant_id == uow.tenant, Invitation.expires_at < before)
        .order_by(Invitation.expires_at)
        .limit(most)
    )
    gone = await uow.session.execute(
        delete(Invitation)
        .where(Invitation.tenant_id == uow.tenant, Invitation.id.in_(oldest))
        .returning(Invitation.id),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())


async def _join(uow: UnitOfWork, invitation: Invitation, user: User, may: Entitlements) -> None:
    limit = may.limit(Limit.MEMBERS)
    if limit is not None and await count_members(uow) >= limit:
        raise Conflict(
            _("The team is full at present. Please tell the business that invited you."),
            code="team_full",
        )
    member_id = new_id()
    uow.session.add(
        Member(
            id=member_id,
            tenant_id=uow.tenant,
            user_id=user.id,
            role=invitation.role,
            created_at=uow.clock.now(),
        )
    )
    await uow.session.flush()
    if invitation.performer_id is not None and await _is_free(uow, invitation.performer_id):
        await link_performer(uow, user.id, invitation.performer_id)
    ctx = RequestContext(actor=Actor(kind="user", user_id=user.id, name=user.name))
    await audit(uow, ctx, "member.joined", "member", member_id, name=user.name)


async def _is_free(uow: UnitOfWork, performer_id: UUID) -> bool:
    """One that has become somebody else meanwhile is no reason to keep the member out."""
    found = await uow.session.scalar(
        select(Performer.id).where(
            Performer.tenant_id == uow.tenant,
            Performer.id == performer_id,
            Performer.user_id.is_(None),
        )
    )
    return found is not None


async def _check_new_here(uow: UnitOfWork, email: str) -> None:
    found = await uow.session.scalar(
        select(Member.id)
        .join(User, User.id == Member.user_id)
        .where(Member.tenant_id == uow.tenant, User.email == email)
    )
    if found is not None:
        sentence = _("Somebody with this address is in your team already.")
        raise InvalidInput(sentence, fields={"email": sentence})


async def _is_member(uow: UnitOfWork, user_id: UUID) -> bool:
    found = await uow.session.scalar(
        select(Member.id).where(Member.tenant_id == uow.tenant, Member.user_id == user_id)
    )
    return found is not None


async def _count_open(uow: UnitOfWork) -> int:
    """Invitations that may still be accepted; each keeps a place."""
    found = await uow.session.scalar(
        select(func.count())
        .select_from(Invitation)
        .where(
            Invitation.tenant_id == uow.tenant,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > uow.clock.now(),
        )
    )
    return found or 0


async def _check_room(uow: UnitOfWork, may: Entitlements, used: int) -> None:
    limit = may.limit(Limit.MEMBERS)
    if limit is not None and used >= limit:
        await read_price_list(uow)
        raise too_many_members(may)


async def _end_over_ones(uow: UnitOfWork, email: str) -> None:
    """One whose time is over makes way for a new one."""
    now = uow.clock.now()
    await uow.session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == uow.tenant,
            Invitation.email == email,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at <= now,
        )
        .values(revoked_at=now)
    )


async def _open(uow: UnitOfWork, invitation_id: UUID) -> Invitation:
    found: Invitation | None = await uow.session.scalar(
        select(Invitation).where(
            Invitation.tenant_id == uow.tenant,
            Invitation.id == invitation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
    )
    if found is None:
        raise NotFound(_("There is no such invitation."))
    return found
