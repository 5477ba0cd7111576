"""To whom mails about plans and bolt-ons go, and how they are queued."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Select, select

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.mail.queue import Mail, queue_mail
from src.platform.mail.templates import render_mail
from src.tenants.context import TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.models import Member, User
from src.tenants.views.plan_mails import PlanMail

PLATFORM_NAME = "Seatline"


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who gets a mail, in their own language."""

    user_id: UUID
    name: str
    email: str
    locale: str


def plan_page(settings: Settings, tenant: TenantSnapshot) -> str:
    """The address of the business's page about its plan and bolt-ons."""
    return f"{settings.base_url}/app/{tenant.slug}/plan"


def admins() -> Select[tuple[User]]:
    return select(User).where(User.is_platform_admin)


def owners_of(tenant_id: UUID) -> Select[tuple[User]]:
    return (
        select(User)
        .join(Member, Member.user_id == User.id)
        .where(Member.tenant_id == tenant_id, Member.role == Role.OWNER.value)
    )


async def readers(uow: UnitOfWork, users: Select[tuple[User]]) -> Sequence[Reader]:
    """Who the users are as readers, in an order that does not change."""
    found = await uow.session.scalars(users.order_by(User.id))
    return [
        Reader(user_id=user.id, name=user.name, email=user.email, locale=user.locale)
        for user in found
    ]


async def queue_for(
    uow: UnitOfWork, settings: Settings, kind: str, occasion: str, to: Reader, view: PlanMail
) -> None:
    """Queues a mail once for each occasion and reader, whoever comes twice."""
    words = render_mail(f"tenants/{kind}", view, to.locale)
    mail = Mail(
        kind=f"tenants.{kind}",
        to_address=to.email,
        to_name=to.name,
        from_name=PLATFORM_NAME,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"{occasion}:{to.user_id}",
    )
    await queue_mail(uow, mail, host=settings.host)
