"""What guests of a demo business sign, and who has by now."""

from src.booking.commands.agreement_signing import sign_what_waits
from src.booking.commands.agreements import (
    AskedBy,
    ask_for_agreement,
    create_agreement,
    publish_agreement,
)
from src.booking.domain.agreements import AgreementDraft, SignedHow, Signing, as_shown, sha256_of
from src.booking.queries.agreements_waiting import find_waiting, list_lacking
from src.platform.ids import new_id
from src.sandbox.demo_shop import Opened

MOST = 50
SAFETY = """Welcome to the wheels and kilns. Before your first evening, please read and sign this.

1. Hair is tied back and scarves stay on the hook while a wheel turns.
2. Only staff open a kiln. A shelf that looks cold may not be.
3. Dust is wiped wet and never swept.
4. Whoever feels unwell says so, and sits down.

You take part at your own risk, as far as the law allows that."""


async def sign_at(opened: Opened, service: str) -> None:
    """The business has just come to ask for it; all but one who are to come have signed."""
    ctx, agreement_id, text = opened.ctx, new_id(), as_shown(SAFETY)
    uow_factory = opened.services.uow_factory
    async with uow_factory(ctx.here.id) as uow:
        draft = AgreementDraft(title="Safety at the wheel", slug="safety", text=text)
        await create_agreement(uow, agreement_id, draft)
        await publish_agreement(uow, ctx, agreement_id, sha256_of(text))
        service_id = opened.offers[service].service_id
        asked = AskedBy(service_ids=frozenset({service_id}))
        await ask_for_agreement(uow, ctx, agreement_id, asked)
    async with uow_factory(ctx.here.id) as uow:
        waiting = await list_lacking(uow, agreement_id, limit=MOST)
    for one in waiting[1:]:
        async with uow_factory(ctx.here.id) as uow:
            versions = await find_waiting(uow, one.customer_id)
            signing = Signing(
                version_ids=tuple(version.version_id for version in versions),
                name=one.name,
                address="203.0.113.20",
                browser="Mozilla/5.0",
                how=SignedHow.PORTAL,
            )
            await sign_what_waits(uow, one.customer_id, signing)
