"""Members: another role, another performer, no member any more.

Whoever changes the team holds the tenant's row, so that of two owners who demote each other one
stays, and no two people take the plan's last place.
"""

from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Entitlements, read_sources, resolve_entitlements
from src.tenants.domain.roles import Role, may_make
from src.tenants.events import MemberChanged
from src.tenants.models import Member, Performer, Tenant, User
from src.tenants.role_words import needs_role


class ChangeMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member as they are to be; `performer_id` is whose sessions are theirs."""

    member_id: UUID
    role: Role
    performer_id: UUID | None = None


async def hold_team(uow: UnitOfWork) -> Entitlements:
    """Nobody else changes the team from here to the end of the transaction.

    Returns what the tenant may do now. Raises: NotFound.
    """
    stored = await uow.session.scalar(
        select(Tenant.entitlements).where(Tenant.id == uow.tenant).with_for_update(key_share=True)
    )
    if stored is None:
        raise NotFound(_("There is nothing here."))
    return resolve_entitlements(read_sources(stored), uow.clock.now())


def check_may_make(ctx: RequestContext, role: Role) -> None:
    """Raises: NotAllowed when the caller may not give or take this role."""
    if not may_make(ctx.actor.role, role):
        raise NotAllowed(needs_role(role))


async def count_members(uow: UnitOfWork) -> int:
    found = await uow.session.scalar(
        select(func.count()).select_from(Member).where(Member.tenant_id == uow.tenant)
    )
    return found or 0


async def change_member(uow: UnitOfWork, ctx: RequestContext, cmd: ChangeMember) -> None:
    """Raises: NotFound; NotAllowed for a role above the caller's; Conflict for the last owner;
    InvalidInput for a performer that is somebody else.
    """
    await hold_team(uow)
    member = await _member(uow, cmd.member_id)
    before = Role(member.role)
    check_may_make(ctx, before)
    check_may_make(ctx, cmd.role)
    if before is Role.OWNER and cmd.role is not Role.OWNER:
        await _check_another_owner(uow)
    name = await _name_of(uow, member.user_id)
    if cmd.role is not before:
        member.role = str(cmd.role)
        await audit(
            uow,
            ctx,
            "member.role_changed",
            "member",
            member.id,
            name=name,
            before=str(before),
            after=str(cmd.role),
        )
        _tell(uow, ctx, member, str(cmd.role))
    if await link_performer(uow, member.user_id, cmd.performer_id):
        await audit(uow, ctx, "member.linked", "member", member.id, name=name)


async def remove_member(uow: UnitOfWork, ctx: RequestContext, member_id: UUID) -> str:
    """Lets nobody in any more: membership is asked for at each request, so open sign-ins of
    theirs reach nothing of this business from the moment this commits.

    Returns the name. Raises: NotFound; NotAllowed for a role above the caller's; Conflict for the
    last owner.
    """
    await hold_team(uow)
    member = await _member(uow, member_id)
    check_may_make(ctx, Role(member.role))
    if member.role == Role.OWNER:
        await _check_another_owner(uow)
    name = await _name_of(uow, member.user_id)
    await link_performer(uow, member.user_id, None)
    await uow.session.execute(
        delete(Member).where(Member.tenant_id == uow.tenant, Member.id == member_id)
    )
    await audit(uow, ctx, "member.removed", "member", member_id, name=name, role=member.role)
    _tell(uow, ctx, member, None)
    return name


async def link_performer(uow: UnitOfWork, user_id: UUID, performer_id: UUID | None) -> bool:
    """Makes the user that performer and no other. Returns whether anything changed.

    Raises: InvalidInput when there is no such performer, or it is another member.
    """
    present = await uow.session.scalar(
        select(Performer.id).where(Performer.tenant_id == uow.tenant, Performer.user_id == user_id)
    )
    if present == performer_id:
        return False
    await uow.session.execute(
        update(Performer)
        .where(Performer.tenant_id == uow.tenant, Performer.user_id == user_id)
        .values(user_id=None)
    )
    if performer_id is not None:
        await _take_performer(uow, user_id, performer_id)
    return True


async def check_performer_is_free(uow: UnitOfWork, performer_id: UUID) -> None:
    """Raises: InvalidInput when there is no such performer, or it is a member already."""
    taken = await uow.session.execute(
        select(Member.id)
        .select_from(Performer)
        .outerjoin(
            Member,
            (Member.tenant_id == Performer.tenant_id) & (Member.user_id == Performer.user_id),
        )
        .where(Performer.tenant_id == uow.tenant, Performer.id == performer_id)
    )
    row = taken.first()
    if row is None:
        raise _performer_refused(_("Please choose one of the given ones."))
    if row[0] is not None:
        raise _performer_refused(_("This performer is another member already."))


async def _take_performer(uow: UnitOfWork, user_id: UUID, performer_id: UUID) -> None:
    await check_performer_is_free(uow, performer_id)
    await uow.session.execute(
        update(Performer)
        .where(Performer.tenant_id == uow.tenant, Performer.id == performer_id)
        .values(user_id=user_id)
    )


def _performer_refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"performer_id": sentence})


async def _member(uow: UnitOfWork, member_id: UUID) -> Member:
    found: Member | None = await uow.session.scalar(
        select(Member).where(Member.tenant_id == uow.tenant, Member.id == member_id)
    )
    if found is None:
        raise NotFound(_("There is no such member."))
    return found


async def _check_another_owner(uow: UnitOfWork) -> None:
    owners = await uow.session.scalar(
        select(func.count())
        .select_from(Member)
        .where(Member.tenant_id == uow.tenant, Member.role == Role.OWNER.value)
    )
    if (owners or 0) < 2:
        raise Conflict(
            _("A business needs an owner. Make somebody else an owner first."), code="last_owner"
        )


async def _name_of(uow: UnitOfWork, user_id: UUID) -> str:
    return await uow.session.scalar(select(User.name).where(User.id == user_id)) or ""


def _tell(uow: UnitOfWork, ctx: RequestContext, member: Member, role: str | None) -> None:
    """Nobody is told of what they did themselves."""
    if member.user_id != ctx.actor.user_id:
        uow.record(
            MemberChanged(user_id=member.user_id, role=role, by=ctx.actor.name, change_id=new_id())
        )
