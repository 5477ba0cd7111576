"""Cards that guests keep: to choose among, to look at, and how the last one paid."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from src.billing.commands.cards import list_cards, list_usable_cards
from src.billing.domain.cards import (
    CardState,
    card_words,
    declined_words,
    expiry_words,
    is_over,
    key_of_card,
)
from src.billing.domain.kinds import OrderState, PageKind, PageState
from src.billing.domain.parts import PartState
from src.billing.models import Instalment, Order, SavedCard
from src.billing.queries.attempts import newest_page
from src.billing.views.cards import CardAttempt, CardChoice, KeptCard
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local
from src.platform.money import Money
from src.tenants.context import TenantSnapshot


async def list_card_choices(
    uow: UnitOfWork, tenant: TenantSnapshot, customer_id: UUID
) -> list[CardChoice]:
    """What a signed-in guest can pay with in one press, the preferred one first."""
    if not tenant.payments_ready:
        return []
    cards = await list_usable_cards(uow, customer_id, today_at(tenant.zone, uow.clock.now()))
    return [CardChoice(key_of_card(one.id), card_words(one), expiry_words(one)) for one in cards]


def today_at(zone: ZoneInfo, now: datetime) -> date:
    return to_local(now, zone).date()


async def list_kept_cards(
    uow: UnitOfWork, tenant: TenantSnapshot, customer_id: UUID
) -> list[KeptCard]:
    """All that a guest keeps; the first that can pay is preferred where none was chosen."""
    today_on = today_at(tenant.zone, uow.clock.now())
    cards = await list_cards(uow, customer_id)
    usable = [card for card in cards if not is_over(card, today_on)]
    preferred = usable[0].id if usable else None
    later = await _list_later(uow, [card.id for card in cards])
    return [
        KeptCard(
            id=card.id,
            words=card_words(card),
            expires=expiry_words(card),
            since_at=card.created_at,
            is_preferred=card.id == preferred,
            is_over=is_over(card, today_on),
            later=later.get(card.id, []),
        )
        for card in cards
    ]


async def _list_later(uow: UnitOfWork, card_ids: Collection[UUID]) -> dict[UUID, list[Money]]:
    """What is still to be charged to each of these cards in parts, by currency; without what only
    its guest can pay by now.
    """
    found = await uow.session.execute(
        select(Instalment.card_id, Order.currency, func.sum(Instalment.minor))
        .join(Order, (Order.tenant_id == Instalment.tenant_id) & (Order.id == Instalment.order_id))
        .where(Instalment.tenant_id == uow.tenant, Instalment.card_id.in_(card_ids))
        .where(Instalment.state == str(PartState.DUE))
        .where(Order.state == str(OrderState.CONFIRMED))
        .group_by(Instalment.card_id, Order.currency)
        .order_by(Order.currency)
    )
    later: dict[UUID, list[Money]] = {}
    for card_id, currency, minor in found.tuples():
        if card_id is not None:
            later.setdefault(card_id, []).append(Money(int(minor), currency))
    return later


async def find_in_place_of(uow: UnitOfWork, card: SavedCard) -> SavedCard | None:
    """The row by which a card that has ended is kept all the same, as it was kept again since."""
    if not card.fingerprint:
        return None
    found: SavedCard | None = await uow.session.scalar(
        select(SavedCard)
        .where(
            SavedCard.tenant_id == uow.tenant,
            SavedCard.customer_id == card.customer_id,
            SavedCard.account_id == card.account_id,
            SavedCard.fingerprint == card.fingerprint,
            SavedCard.state == str(CardState.USABLE),
        )
        .order_by(SavedCard.id)
        .limit(1)
    )
    return found


async def find_card_attempt(
    uow: UnitOfWork, order_id: UUID, *, has_paid: bool
) -> tuple[CardAttempt | None, bool]:
    """How it stands with the card that an open order was to be paid with last, None where it was to
    be paid otherwise; and whether its guest, who comes back from paying (`has_paid`), waits for
    news: not where the card was declined, or its bank has not been answered.
    """
    found = await _find_attempt(uow, order_id)
    return found, has_paid and (found is None or found.is_unsure)


async def _find_attempt(uow: UnitOfWork, order_id: UUID) -> CardAttempt | None:
    page = await newest_page(uow, order_id)
    if page is None or page.kind != PageKind.CARD or page.card_id is None:
        return None
    card = await uow.session.get_one(SavedCard, (uow.tenant, page.card_id))
    words = card_words(card)
    if page.state == PageState.FAILED and page.error:
        return CardAttempt(card=words, why_not=declined_words(page.error, words))
    if page.state == PageState.OPEN and page.url:
        return CardAttempt(card=words, bank_url=page.url)
    if page.state in (PageState.PENDING, PageState.OPEN):
        return CardAttempt(card=words)
    return None
