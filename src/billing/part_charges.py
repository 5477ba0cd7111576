"""Charging the parts of a price to the card that its guest has kept for them, without the guest.

An attempt is a row before it is a call, as ever, and is made and confirmed in two calls: whoever is
unsure makes it again, and a payment that was cancelled is never confirmed. What an attempt came to
is written down before the next begins, so a part is charged once however often this runs.
Source: docs/algorithms/payment-plans.md.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from src.billing import page_calls
from src.billing.card_payments import (
    confirm_payment,
    is_about_card,
    may_charge,
    payment_body,
    put_off_card,
)
from src.billing.commands.cards import list_usable_cards
from src.billing.commands.due import add_due, drop_due, move_due
from src.billing.commands.ending import list_live_pages
from src.billing.commands.instalments import (
    get_part,
    list_parts,
    note_attempt,
    note_not_paid,
    take_attempt_back,
)
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import apply_page
from src.billing.cron import PARALLEL, work_off
from src.billing.domain.kinds import LIVE_PAGES, PageKind, PageOutcome, PageState
from src.billing.domain.page_keys import page_key
from src.billing.domain.parts import (
    PART_DUE,
    PartState,
    charged_once_announced,
    is_to_announce,
    last_try,
)
from src.billing.domain.retries import PAGE_DUE, next_page_check
from src.billing.models import Instalment, Order, PaymentPage, ProcessorCustomer, SavedCard
from src.billing.pages import PageCall, make_page
from src.billing.part_mails import remind_of_part
from src.billing.processor import DefinitiveFailure, ProcessorPage, Uncertain
from src.billing.queries.attempts import newest_page
from src.billing.queries.cards import today_at
from src.billing.queries.disputes import list_dispute_states
from src.billing.settlement import close_page, settle_page
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import Due
from src.tenants.queries.tenants import tenant_snapshot

ATTEMPT_LASTS = timedelta(hours=6)
"""After that an attempt without an answer is cancelled, and the next may begin."""
LOOK_AGAIN = timedelta(minutes=30)
PAGE_MARGIN = timedelta(minutes=10)
NOT_NOW = timedelta(hours=12)
"""While the business itself may not charge, no guest's card is blamed for that."""


class Blames(StrEnum):
    """Whom an attempt in vain speaks against: `others` where the processor said no to what is not
    the card's matter, and we do not know why.
    """

    CARD = "card"
    BUSINESS = "business"
    OTHERS = "others"


async def charge_due_parts(services: Services, *, parallel: int = PARALLEL) -> int:
    """Periodic: reminds of parts, and charges those whose day has come. Returns how many were
    looked at.
    """
    return await work_off(services, (PART_DUE,), work_part, parallel=parallel)


async def work_part(services: Services, due: Due) -> None:
    """One step of one part: its reminder, an attempt, or what an attempt came to. Raises nothing
    that would lose it: what is in doubt is looked at again.
    """
    call = await _next_call(services, due)
    if call is None:
        return
    try:
        blames = await _charge(services, call)
    except Uncertain:
        blames = Blames.CARD
    if blames is Blames.OTHERS and not await may_charge(services, due.tenant_id):
        blames = Blames.BUSINESS
    await _conclude(services, due, call.row.id, blames)


async def _next_call(services: Services, due: Due) -> PageCall | None:
    """The attempt to make or to ask about, stored and committed; None where nothing is to be asked
    just now.
    """
    async with services.uow_factory(due.tenant_id) as uow:
        found = await _lock_part(uow, due.ref)
        if found is None or found.part.state != PartState.DUE:
            await drop_due(uow, due.ref)
            return None
        order, part = found
        if part.page_id is not None:
            row = await uow.session.get_one(PaymentPage, (uow.tenant, part.page_id))
            return PageCall(row=row, is_replay=True)
        waits_until = await _waits_until(uow, services, order, part)
        if waits_until is not None:
            await move_due(uow, part.id, waits_until)
            return None
        begun = await _begin(uow, services, order, part)
        return None if begun is None else PageCall(row=begun, is_replay=False)


class _Locked(NamedTuple):
    order: Order
    part: Instalment


async def _lock_part(uow: UnitOfWork, part_id: UUID) -> _Locked | None:
    """The part with its order, which is locked."""
    known = await uow.session.get(Instalment, (uow.tenant, part_id))
    if known is None:
        return None
    order = await lock_order(uow, known.order_id)
    return _Locked(order, await get_part(uow, order.id, part_id))


async def _waits_until(
    uow: UnitOfWork, services: Services, order: Order, part: Instalment
) -> datetime | None:
    """When it is to be looked at next, None for at once. Who was not told of it in time is, and a
    guest who is at a payment page with it is not charged beside that. Nothing is announced and
    nothing charged while the business may not charge, or is not seen, nor while a bank has a
    payment of the order because of a dispute.
    """
    now = uow.clock.now()
    tenant = await tenant_snapshot(uow, uow.tenant, now)
    may_go_on = tenant.payments_ready and tenant.status.is_seen
    if not may_go_on or "open" in await list_dispute_states(uow, order.id):
        return now + NOT_NOW
    at = await _announced_for(uow, services, order, part, tenant.zone)
    if now < at:
        return at
    for page_id in await list_live_pages(uow, order.id):
        page = await uow.session.get_one(PaymentPage, (uow.tenant, page_id))
        if str(part.id) in (page.parts or ()):
            return max(page.expires_at, now) + PAGE_MARGIN
    return None


async def _announced_for(
    uow: UnitOfWork, services: Services, order: Order, part: Instalment, zone: ZoneInfo
) -> datetime:
    """When the part is charged, or looked at again, as its guest knows. After a pause several may
    be late: they are announced and charged one after the other.
    """
    now, parts = uow.clock.now(), await list_parts(uow, order.id)
    comes_next = all(one.state != PartState.DUE for one in parts if one.number < part.number)
    planned = part.next_try_at or now
    if is_to_announce(planned, part.reminded_at, now):
        at = charged_once_announced(planned, now, zone)
        if at != planned and not comes_next:
            return now + NOT_NOW
        part.reminded_at, part.next_try_at = now, at
        has_card = await _find_card(uow, order, part) is not None
        settings = services.settings
        await remind_of_part(uow, settings, order, part, parts, has_card=has_card)
        return at
    return planned if comes_next else max(planned, now + NOT_NOW)


async def _begin(
    uow: UnitOfWork, services: Services, order: Order, part: Instalment
) -> PaymentPage | None:
    """Writes the next attempt down; without a card there is none, and the part is overdue."""
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    card = await _find_card(uow, order, part)
    if card is None:
        await note_not_paid(uow, order, part, tenant, has_card=False)
        return None
    page = await _new_attempt(uow, order, part, card, services.settings.platform_fee_bp)
    await note_attempt(uow, part, page.id)
    return page


async def _find_card(uow: UnitOfWork, order: Order, part: Instalment) -> SavedCard | None:
    """The one that was agreed to, while it can pay; none where its holder's bank has taken a
    payment of the order back for good.
    """
    if "lost" in await list_dispute_states(uow, order.id):
        return None
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    today_on = today_at(tenant.zone, uow.clock.now())
    cards = await list_usable_cards(uow, order.customer_id, today_on)
    return next((card for card in cards if card.id == part.card_id), None)


async def _new_attempt(
    uow: UnitOfWork, order: Order, part: Instalment, card: SavedCard, fee_bp: int
) -> PaymentPage:
    now, page_id = uow.clock.now(), new_id()
    owner = await uow.session.get_one(ProcessorCustomer, (uow.tenant, card.processor_customer_id))
    newest = await newest_page(uow, order.id)
    known_as = owner.processor_id or ""
    page = PaymentPage(
        tenant_id=uow.tenant,
        id=page_id,
        order_id=order.id,
        attempt=newest.attempt + 1 if newest is not None else 1,
        kind=str(PageKind.CARD),
        card_id=card.id,
        parts=[str(part.id)],
        account_id=card.account_id,
        idempotency_key=page_key(page_id),
        body={
            "create": payment_body(order, card, known_as, page_id, fee_bp, part.minor),
            "confirm": {"off_session": True},
        },
        state=str(PageState.PENDING),
        expires_at=now + ATTEMPT_LASTS,
        created_at=now,
        called_at=now,
    )
    uow.session.add(page)
    await uow.session.flush()
    await add_due(uow, PAGE_DUE, page_id, next_page_check(now, now))
    return page


async def _charge(services: Services, call: PageCall) -> Blames:
    """Makes the attempt's payment, or finds it, asks for its money, and lets what came of that take
    effect; one that is too old is cancelled instead. Returns whom it speaks against should it not
    have been paid. Raises: Uncertain.
    """
    row, tenant_id = call.row, call.row.tenant_id
    if row.state not in (PageState.PENDING, PageState.OPEN):
        return Blames.CARD
    if services.clock.now() > row.expires_at:
        await close_page(services, tenant_id, row.id)
        return Blames.CARD
    try:
        found = await _made(services, call)
    except DefinitiveFailure as failure:
        return await _refused(services, row, failure)
    async with services.uow_factory(tenant_id) as uow:
        await apply_page(uow, row.id, found)
    refusal = await confirm_payment(services, row, found) if found.is_unconfirmed else None
    if await settle_page(services, tenant_id, row.id) != PageOutcome.OPEN:
        return Blames.CARD
    # Its bank would ask a guest who is not there, or nobody has asked the bank at all.
    await close_page(services, tenant_id, row.id)
    return Blames.CARD if refusal is None or is_about_card(refusal) else Blames.OTHERS


async def _made(services: Services, call: PageCall) -> ProcessorPage:
    row = call.row
    if row.processor_id is None:
        return await make_page(services, row.tenant_id, call)
    return await page_calls.retrieve(services.port(StripeGateway), row, row.processor_id)


async def _refused(services: Services, row: PaymentPage, failure: DefinitiveFailure) -> Blames:
    """The payment could not even be made."""
    if not is_about_card(failure):
        return Blames.OTHERS
    async with services.uow_factory(row.tenant_id) as uow:
        await put_off_card(uow, row.id)
    return Blames.CARD


async def _conclude(services: Services, due: Due, page_id: UUID, blames: Blames) -> None:
    """Writes down what the attempt came to, once, unless nobody knows yet. One that says nothing of
    the card does not count: always where the business may not charge, else for the days on which a
    card is tried again, since somebody has to hear of it at last.
    """
    async with services.uow_factory(due.tenant_id) as uow:
        found = await _lock_part(uow, due.ref)
        if found is None or found.part.state != PartState.DUE or found.part.page_id != page_id:
            return
        order, part = found
        page = await uow.session.get_one(PaymentPage, (uow.tenant, page_id), populate_existing=True)
        if page.state in LIVE_PAGES:
            await move_due(uow, part.id, uow.clock.now() + LOOK_AGAIN)
            return
        now = uow.clock.now()
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        is_early = now < last_try(part.due_on, tenant.zone)
        if blames is Blames.BUSINESS or (blames is Blames.OTHERS and is_early):
            await take_attempt_back(uow, part, now + NOT_NOW)
            return
        has_card = await _find_card(uow, order, part) is not None
        await note_not_paid(uow, order, part, tenant, has_card=has_card)
