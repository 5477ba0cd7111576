"""What the demo businesses put together: a first step for new guests, and thanks for regulars."""

from uuid import UUID

from src.booking.commands.collections import create_collection
from src.booking.domain.collections import CollectionDraft, Thing, ThingKind
from src.platform.ids import new_id
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_times import earlier

SINCE_DAYS = 14

FIRST_STEPS = CollectionDraft(
    title="First steps",
    slug="first-steps",
    cover_text="New to yoga, or new to us? Any of these is a good way to begin.",
    listed_in_portal=True,
)
REGULARS = CollectionDraft(
    title="For our regulars",
    slug="regulars",
    cover_text="Thank you for coming back. Early starts by the handful, for you alone.",
    listed_in_portal=True,
    established_only=True,
)


async def lotus_collections(lotus: Opened, mornings: UUID) -> None:
    """The package of mornings is for regulars only; the rest is for everybody."""
    hatha, community = lotus.offers["hatha"], lotus.offers["community"]
    if hatha.series_id is None:
        raise LookupError("The demo's service has no course.")
    first = [
        Thing(ThingKind.SERIES, hatha.series_id),
        Thing(ThingKind.SERVICE, community.service_id),
    ]
    await _make(lotus, FIRST_STEPS, first)
    await _make(lotus, REGULARS, [Thing(ThingKind.PACKAGE, mornings)])


async def _make(business: Opened, draft: CollectionDraft, things: list[Thing]) -> None:
    then = earlier(business.services, SINCE_DAYS)
    async with then.uow_factory(business.ctx.here.id) as uow:
        await create_collection(uow, business.ctx, new_id(), draft, things)
