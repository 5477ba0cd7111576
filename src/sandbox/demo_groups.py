"""The circle of a demo business: who is in it, by hand or a purchase, and what they read."""

from uuid import UUID

from sqlalchemy import select

from src.booking.commands.group_members import add_member, join_by_order, show_name
from src.booking.commands.group_posts import publish_post
from src.booking.commands.groups import create_group, set_givers
from src.booking.domain.collections import Thing, ThingKind
from src.booking.domain.groups import GroupDraft, PostDraft
from src.booking.models import Booking
from src.platform.ids import new_id
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_times import earlier
from src.tenants.models import Customer

SHOWN, BY_HAND = 3, "Hedy Heath"
FOUNDED = 21
CIRCLE = GroupDraft(
    title="Hatha circle",
    slug="hatha-circle",
    about="For everybody in the course: what we practise between the evenings, and when we meet.",
    shows_members=True,
)
POSTS = (
    (
        12,
        PostDraft(
            title="Before the first evening",
            body="Dear {customer_name},\n\nplease come a little early, so that everybody finds a"
            " place. Mats and blocks are here.\n\nWe begin gently.",
        ),
    ),
    (
        3,
        PostDraft(
            title="For the days between",
            body="Ten minutes each morning do more than an hour on Sunday: sit, breathe out slowly,"
            " and stretch whatever complains.\n\nAfter the next evening we stay for tea.",
        ),
    ),
)


async def lotus_group(lotus: Opened) -> None:
    """Whoever has the course is in it, and one who comes singly was taken in by hand. It is older
    than the first who has bought that.
    """
    hatha, ctx, group_id = lotus.offers["hatha"], lotus.ctx, new_id()
    if hatha.series_id is None:
        raise LookupError("The demo's service has no course.")
    async with earlier(lotus.services, FOUNDED).uow_factory(ctx.here.id) as uow:
        await create_group(uow, ctx, group_id, CIRCLE)
        await set_givers(uow, ctx, group_id, [Thing(ThingKind.SERIES, hatha.series_id)])
    await _take_in(lotus, group_id, hatha.series_id)
    for days_ago, draft in POSTS:
        async with earlier(lotus.services, days_ago).uow_factory(ctx.here.id) as uow:
            await publish_post(uow, ctx, group_id, new_id(), draft, mail=False)


async def _take_in(lotus: Opened, group_id: UUID, series_id: UUID) -> None:
    """What a job does while the business is open: those who have bought the course come in."""
    factory = earlier(lotus.services, 13).uow_factory
    async with factory(lotus.ctx.here.id) as uow:
        found = await uow.session.execute(
            select(Booking.order_id, Booking.customer_id)
            .where(Booking.tenant_id == uow.tenant, Booking.series_id == series_id)
            .order_by(Booking.id)
        )
        bought = found.tuples().all()
        by_hand = await uow.session.scalar(
            select(Customer.id).where(Customer.tenant_id == uow.tenant, Customer.name == BY_HAND)
        )
    shown = 0
    for order_id, customer_id in bought:
        async with factory(lotus.ctx.here.id) as uow:
            if await join_by_order(uow, order_id) and shown < SHOWN:
                await show_name(uow, group_id, customer_id, is_shown=True)
                shown += 1
    if by_hand is not None:
        async with factory(lotus.ctx.here.id) as uow:
            await add_member(uow, lotus.ctx, group_id, by_hand)
