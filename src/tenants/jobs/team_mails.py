"""Mails about a team: an invitation with its link, and what became of a membership."""

from uuid import UUID

from sqlalchemy import select

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Gone
from src.platform.i18n import use_locale
from src.platform.jobs.context import JobContext
from src.platform.links import LinkSigner
from src.platform.mail.queue import Mail, queue_mail
from src.platform.mail.templates import render_mail
from src.tenants.commands.accounts import find_user_by_email
from src.tenants.commands.invitations import find_invitation
from src.tenants.domain import link_purposes
from src.tenants.domain.roles import Role
from src.tenants.events import MemberChanged, MemberInvited
from src.tenants.models import User
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.role_words import role_name
from src.tenants.views.team_mails import TeamMail


async def send_invitation(job: JobContext, event: MemberInvited) -> None:
    """The same mail whether or not the address has an account; the link finds out."""
    settings: Settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        try:
            invitation = await find_invitation(uow, event.invitation_id)
        except Gone:
            return
        tenant = await tenant_snapshot(uow, job.tenant_id, job.clock.now())
        known = await find_user_by_email(uow, invitation.email)
        by = await uow.session.scalar(select(User.name).where(User.id == invitation.invited_by))
        token = LinkSigner(settings.secret_keys).sign(
            link_purposes.INVITATION,
            {"invitation": str(invitation.id)},
            job.clock.now(),
            tenant_id=job.tenant_id,
        )
        view = _view(
            known.locale if known is not None else tenant.locale,
            name=known.name if known is not None else "",
            business=tenant.name,
            role=invitation.role,
            by=by or "",
            url=f"{settings.base_url}/join/{token}",
        )
        await _queue(uow, settings, "invitation", invitation.email, view, event.asked_id)


async def tell_member(job: JobContext, event: MemberChanged) -> None:
    settings: Settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        user = await uow.session.get(User, event.user_id)
        if user is None:
            return
        tenant = await tenant_snapshot(uow, job.tenant_id, job.clock.now())
        view = _view(
            user.locale,
            name=user.name,
            business=tenant.name,
            role=event.role,
            by=event.by,
            url=f"{settings.base_url}/app/{tenant.slug}",
        )
        kind = "member_removed" if event.role is None else "role_changed"
        await _queue(uow, settings, kind, user.email, view, event.change_id)


def _view(
    locale: str, *, name: str, business: str, role: str | None, by: str, url: str
) -> TeamMail:
    with use_locale(locale):
        words = role_name(Role(role)) if role is not None else ""
    return TeamMail(
        locale=locale,
        from_name=business,
        name=name,
        business=business,
        role=words,
        by=by,
        url=url,
    )


async def _queue(
    uow: UnitOfWork, settings: Settings, kind: str, to: str, view: TeamMail, occasion: UUID
) -> None:
    words = render_mail(f"tenants/{kind}", view, view.locale)
    mail = Mail(
        kind=f"tenants.{kind}",
        to_address=to,
        to_name=view.name,
        from_name=view.from_name,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{kind}:{occasion}",
    )
    await queue_mail(uow, mail, host=settings.host)
