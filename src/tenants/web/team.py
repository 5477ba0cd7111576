"""/app/<slug>/settings/team: who may open the business, and with which role."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ratelimit import CODE_MAILS, INVITATIONS_BY_TENANT
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.customers import normalise_email
from src.tenants.commands.invitations import (
    InviteMember,
    invite_member,
    resend_invitation,
    revoke_invitation,
)
from src.tenants.commands.team import ChangeMember, change_member, check_may_make, remove_member
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Limit
from src.tenants.domain.roles import Role, may_make
from src.tenants.gates import too_many_members
from src.tenants.queries.team import get_member, get_team, list_free_performers
from src.tenants.role_words import role_name
from src.tenants.views.people import MemberDetail, Team
from src.tenants.views.plans import UpgradeView
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs
from src.tenants.web.upgrade_panel import upgrade_view

HOME = "/app/{slug:str}/settings/team"
ONE = HOME + "/{member_id:uuid}"
INVITED = HOME + "/invitations/{invitation_id:uuid}"


class InviteForm(msgspec.Struct):
    """Whom to ask, as what, and whose sessions will be theirs."""

    email: Email
    role: Role = Role.INSTRUCTOR
    performer_id: UUID | None = None


class MemberForm(msgspec.Struct):
    """A member's role, and whose sessions are theirs."""

    role: Role
    performer_id: UUID | None = None


class TeamView(msgspec.Struct, frozen=True, kw_only=True):
    """`upgrade` stands in place of the form when the plan has no room."""

    tabs: list[Tab]
    team: Team
    limit: int | None
    base: str
    zone: str
    form: Any
    upgrade: UpgradeView | None
    role_words: dict[str, str]
    roles: list[tuple[str, str]]
    performers: list[tuple[str, str]]


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor of one member."""

    tabs: list[Tab]
    member: MemberDetail
    is_me: bool
    base: str
    form: Any
    roles: list[tuple[str, str]]
    performers: list[tuple[str, str]]


class RemoveView(msgspec.Struct, frozen=True, kw_only=True):
    """What removing a member means; `why_not` when they have to stay."""

    tabs: list[Tab]
    member: MemberDetail
    role: str
    is_me: bool
    base: str
    why_not: str | None


@get(HOME, guards=MAY_SET, include_in_schema=False)
async def show_team(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _team(request, services, ctx)


@post(HOME, guards=MAY_SET, status_code=200, include_in_schema=False)
async def invite(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(InviteForm, await read_form(request))
    if form.struct is None:
        return await _team(request, services, ctx, form)
    asked = form.struct
    await _slow_down(services, ctx, asked.email)
    cmd = InviteMember(email=asked.email, role=asked.role, performer_id=asked.performer_id)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await invite_member(uow, ctx, cmd)
    except InvalidInput as refusal:
        return await _team(request, services, ctx, form.refused(refusal))
    flash(request, "success", _on_its_way(asked.email))
    return redirect(request, settings_path(ctx, "team"))


@post(INVITED + "/resend", guards=MAY_SET, status_code=200, include_in_schema=False)
async def send_again(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    invitation_id: FromPath[UUID],
) -> Response[bytes]:
    await _slow_down(services, ctx, str(invitation_id))
    async with services.uow_factory(ctx.here.id) as uow:
        email = await resend_invitation(uow, ctx, invitation_id)
    flash(request, "success", _on_its_way(email))
    return redirect(request, settings_path(ctx, "team"))


@post(INVITED + "/revoke", guards=MAY_SET, status_code=200, include_in_schema=False)
async def take_back(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    invitation_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        email = await revoke_invitation(uow, ctx, invitation_id)
    flash(request, "success", _("The invitation of %(email)s is taken back.", email=email))
    return redirect(request, settings_path(ctx, "team"))


@get(ONE, guards=MAY_SET, include_in_schema=False)
async def show_member(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    member_id: FromPath[UUID],
) -> Response[bytes]:
    return await _editor(request, services, ctx, member_id)


@post(ONE, guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_member(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    member_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(MemberForm, await read_form(request))
    if form.struct is None:
        return await _editor(request, services, ctx, member_id, form)
    cmd = ChangeMember(
        member_id=member_id, role=form.struct.role, performer_id=form.struct.performer_id
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            member = await get_member(uow, member_id)
            await change_member(uow, ctx, cmd)
    except InvalidInput as refusal:
        return await _editor(request, services, ctx, member_id, form.refused(refusal))
    except Conflict as refusal:
        last_owner = form.with_errors({"role": refusal.message})
        return await _editor(request, services, ctx, member_id, last_owner)
    flash(request, "success", _("“%(name)s” is saved.", name=member.name))
    has_left = member.user_id == ctx.actor.user_id and cmd.role is Role.INSTRUCTOR
    return redirect(request, f"/app/{ctx.here.slug}" if has_left else settings_path(ctx, "team"))


@get(ONE + "/remove", guards=MAY_SET, include_in_schema=False)
async def ask_about_removing(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    member_id: FromPath[UUID],
) -> Response[bytes]:
    return await _removing(request, services, ctx, member_id)


@post(ONE + "/remove", guards=MAY_SET, status_code=200, include_in_schema=False)
async def remove(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    member_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            member = await get_member(uow, member_id)
            await remove_member(uow, ctx, member_id)
    except Conflict as refusal:
        return await _removing(request, services, ctx, member_id, refusal.message)
    if member.user_id == ctx.actor.user_id:
        flash(request, "success", _("You have left %(name)s.", name=ctx.here.name))
        return redirect(request, "/app")
    flash(request, "success", _("%(name)s is out of the team.", name=member.name))
    return redirect(request, settings_path(ctx, "team"))


async def _slow_down(services: Services, ctx: RequestContext, whom: str) -> None:
    """Invitations are mails to strangers. Raises: TooManyRequests."""
    limiter = services.limiter
    await limiter.check(CODE_MAILS, f"invite:{ctx.here.id}:{normalise_email(whom)}")
    await limiter.check(INVITATIONS_BY_TENANT, str(ctx.here.id))


def _on_its_way(email: str) -> str:
    return _("An invitation is on its way to %(email)s.", email=email)


def _roles(ctx: RequestContext) -> list[tuple[str, str]]:
    """The roles that the one who asks may give, the least first."""
    chosen = (Role.INSTRUCTOR, Role.MANAGER, Role.OWNER)
    return [
        (role.value, role_name(role).capitalize())
        for role in chosen
        if may_make(ctx.actor.role, role)
    ]


async def _team(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[InviteForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        team = await get_team(uow, ctx)
        performers = await list_free_performers(uow)
    may = ctx.here.entitlements
    limit = may.limit(Limit.MEMBERS)
    is_full = limit is not None and team.used >= limit
    view = TeamView(
        tabs=settings_tabs(ctx, "team"),
        team=team,
        limit=limit,
        base=settings_path(ctx, "team"),
        zone=ctx.here.timezone,
        form=form or blank(InviteForm),
        upgrade=upgrade_view(ctx, too_many_members(may)) if is_full else None,
        role_words={role.value: role_name(role).capitalize() for role in Role},
        roles=_roles(ctx),
        performers=performers,
    )
    status_code = 422 if form is not None else 200
    return page(request, "tenants/settings/team.html", view, status_code=status_code)


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    member_id: UUID,
    form: Bound[MemberForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        member = await get_member(uow, member_id)
        performers = await list_free_performers(uow, member.performer_id)
    check_may_make(ctx, member.role)
    present = {"role": member.role, "performer_id": member.performer_id}
    view = MemberView(
        tabs=settings_tabs(ctx, "team"),
        member=member,
        is_me=member.user_id == ctx.actor.user_id,
        base=settings_path(ctx, "team"),
        form=form or blank(MemberForm, present),
        roles=_roles(ctx),
        performers=performers,
    )
    status_code = 422 if form is not None else 200
    return page(request, "tenants/settings/member.html", view, status_code=status_code)


async def _removing(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    member_id: UUID,
    why_not: str | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        member = await get_member(uow, member_id)
    check_may_make(ctx, member.role)
    view = RemoveView(
        tabs=settings_tabs(ctx, "team"),
        member=member,
        role=role_name(member.role).capitalize(),
        is_me=member.user_id == ctx.actor.user_id,
        base=settings_path(ctx, "team"),
        why_not=why_not,
    )
    status_code = 409 if why_not is not None else 200
    return page(request, "tenants/settings/remove_member.html", view, status_code=status_code)


route_handlers = [
    show_team,
    invite,
    send_again,
    take_back,
    show_member,
    save_member,
    ask_about_removing,
    remove,
]
