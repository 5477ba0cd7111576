"""Groups to begin a test with."""

from uuid import UUID

from sqlalchemy import select

from src.booking.commands.group_members import add_member
from src.booking.commands.group_posts import publish_post
from src.booking.commands.groups import create_group, set_givers
from src.booking.domain.groups import GroupDraft, PostDraft
from src.booking.models import GroupMember
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from tests.support.builders import Business
from tests.support.collections import thing_of


async def a_group(
    uow_factory: UowFactory,
    business: Business,
    *givers: object,
    title: str = "Early birds",
    slug: str = "",
    about: str = "",
    shows_members: bool = False,
) -> UUID:
    """With these services, series and packages that make people members of it."""
    group_id = new_id()
    draft = GroupDraft(title=title, slug=slug, about=about, shows_members=shows_members)
    async with uow_factory(business.id) as uow:
        await create_group(uow, business.ctx, group_id, draft)
        await set_givers(uow, business.ctx, group_id, [thing_of(one) for one in givers])
    return group_id


async def a_group_member(
    uow_factory: UowFactory, business: Business, group_id: UUID, customer_id: UUID
) -> UUID:
    """By hand; the id of the membership."""
    async with uow_factory(business.id) as uow:
        await add_member(uow, business.ctx, group_id, customer_id)
        found = await uow.session.scalars(
            select(GroupMember.id).where(
                GroupMember.group_id == group_id, GroupMember.customer_id == customer_id
            )
        )
        return found.one()


async def members_of(uow_factory: UowFactory, tenant_id: UUID, group_id: UUID) -> list[UUID]:
    """The customers who are in it."""
    async with uow_factory(tenant_id) as uow:
        found = await uow.session.scalars(
            select(GroupMember.customer_id)
            .where(GroupMember.group_id == group_id, GroupMember.ended_at.is_(None))
            .order_by(GroupMember.id)
        )
        return list(found)


async def a_post(
    uow_factory: UowFactory,
    business: Business,
    group_id: UUID,
    *,
    title: str = "We meet on the roof",
    body: str = "On Saturday.\n\nBring something warm, {customer_name}.",
    mail: bool = False,
) -> UUID:
    post_id = new_id()
    async with uow_factory(business.id) as uow:
        draft = PostDraft(title=title, body=body)
        await publish_post(uow, business.ctx, group_id, post_id, draft, mail=mail)
    return post_id
