"""A business's team as those who run it see it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role, may_make
from src.tenants.models import ApiKey, Invitation, Member, Performer, User
from src.tenants.views.people import InvitationRow, MemberDetail, Team, TeamRow

_ORDER = (Role.OWNER, Role.MANAGER, Role.INSTRUCTOR)


async def get_team(uow: UnitOfWork, ctx: RequestContext) -> Team:
    """Owners first, each part by name; invitations the latest first."""
    found = await uow.session.execute(_members(uow.tenant).order_by(func.lower(User.name)))
    members = sorted((_row(row, ctx) for row in found), key=lambda row: _ORDER.index(row.role))
    return Team(members=members, invitations=await _invitations(uow, ctx))


async def get_member(uow: UnitOfWork, member_id: UUID) -> MemberDetail:
    """Raises: NotFound, for a member of another business too."""
    found = await uow.session.execute(_members(uow.tenant).where(Member.id == member_id))
    row = found.first()
    if row is None:
        raise NotFound(_("There is no such member."))
    keys = await uow.session.scalar(
        select(func.count())
        .select_from(ApiKey)
        .where(
            ApiKey.tenant_id == uow.tenant,
            ApiKey.created_by == row.user_id,
            ApiKey.revoked_at.is_(None),
        )
    )
    return MemberDetail(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        performer_id=row.performer_id,
        performer=row.performer,
        api_keys=keys or 0,
    )


async def list_free_performers(
    uow: UnitOfWork, present: UUID | None = None
) -> list[tuple[str, str]]:
    """Performers that are nobody who signs in, and the one that is chosen at present."""
    found = await uow.session.execute(
        select(Performer.id, Performer.name)
        .outerjoin(
            Member,
            (Member.tenant_id == Performer.tenant_id) & (Member.user_id == Performer.user_id),
        )
        .where(
            Performer.tenant_id == uow.tenant,
            (Performer.active & Member.id.is_(None)) | (Performer.id == present),
        )
        .order_by(Performer.name)
    )
    return [(str(row.id), row.name) for row in found]


def _members(tenant_id: UUID) -> Select[Any]:
    return (
        select(
            Member.id,
            Member.user_id,
            Member.role,
            User.name,
            User.email,
            Performer.id.label("performer_id"),
            Performer.name.label("performer"),
        )
        .join(User, User.id == Member.user_id)
        .outerjoin(
            Performer,
            (Performer.tenant_id == Member.tenant_id) & (Performer.user_id == Member.user_id),
        )
        .where(Member.tenant_id == tenant_id)
    )


def _row(row: Row[Any], ctx: RequestContext) -> TeamRow:
    return TeamRow(
        id=row.id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        is_me=row.user_id == ctx.actor.user_id,
        performer=row.performer,
        may_change=may_make(ctx.actor.role, Role(row.role)),
    )


async def _invitations(uow: UnitOfWork, ctx: RequestContext) -> list[InvitationRow]:
    now = uow.clock.now()
    found = await uow.session.execute(
        select(Invitation, User.name.label("by"), Performer.name.label("performer"))
        .outerjoin(User, User.id == Invitation.invited_by)
        .outerjoin(
            Performer,
            (Performer.tenant_id == Invitation.tenant_id)
            & (Performer.id == Invitation.performer_id),
        )
        .where(
            Invitation.tenant_id == uow.tenant,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return [
        InvitationRow(
            id=row.Invitation.id,
            email=row.Invitation.email,
            role=Role(row.Invitation.role),
            performer=row.performer,
            by=row.by or "",
            expires_at=row.Invitation.expires_at,
            is_over=row.Invitation.expires_at <= now,
            may_change=may_make(ctx.actor.role, Role(row.Invitation.role)),
        )
        for row in found
    ]
