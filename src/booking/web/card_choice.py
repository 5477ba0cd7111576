"""The cards of who is signed in, among the ways to pay, and the box to keep one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request

from src.billing.commands.cards import card_not_kept
from src.billing.commands.orders import get_order
from src.billing.domain.cards import MOST_CARDS, card_of_way, consent_to_keep, consent_words
from src.billing.domain.kinds import PaymentMode
from src.billing.pay_choice import PayChoice
from src.billing.queries.cards import list_card_choices
from src.billing.views.cards import CardAttempt, CardChoice
from src.platform.errors import Unavailable
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import read_form
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.views.portal import PortalGuest
from src.tenants.web.portal import has_portal_cookie, portal_guest

AnyRequest = Request[Any, Any, Any]


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """`cards` can be chosen to pay with; `keep_words` is what is agreed to by keeping another one,
    empty where none can be kept.
    """

    cards: list[CardChoice] = []
    keep_words: str = ""

    def fields(self, way: str, mode: str, ways: Sequence[str]) -> dict[str, Any]:
        """Of a form's view: what is offered where money could be paid online. `way` is the chosen
        one; until anything is chosen it is the first card.
        """
        if PaymentMode.ONLINE not in (mode, *ways):
            return {}
        keys = [card.key for card in self.cards]
        chosen = way if way in keys else "" if way else next(iter(keys), "")
        return {
            "cards": self.cards,
            "pays_with": chosen if mode == PaymentMode.ONLINE else "",
            "keep_words": self.keep_words,
        }

    def why_not(self, way: str) -> str | None:
        """The sentence for who chose a card that is none of these."""
        if card_of_way(way) is None or way in [card.key for card in self.cards]:
            return None
        return card_not_kept().message


async def wallet_of(services: Services, ctx: RequestContext, guest: PortalGuest | None) -> Wallet:
    """Of who is signed in; everybody else has none here."""
    if guest is None or not ctx.here.payments_ready:
        return Wallet()
    async with services.uow_factory(ctx.here.id) as uow:
        cards = await list_card_choices(uow, ctx.here, guest.customer_id)
    words = consent_words(ctx.here.name) if len(cards) < MOST_CARDS else ""
    return Wallet(cards=cards, keep_words=words)


async def cards_of_order(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    attempt: CardAttempt | None,
) -> dict[str, Any]:
    """The fields `cards` and `attempt` of a page that anybody with its link sees. Which card was to
    pay, why it did not, and what its bank asks is told to nobody but whose order it is, signed in.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        customer_id = (await get_order(uow, order_id)).customer_id
    guest = await signed_in(request, services, ctx)
    if guest is not None and guest.customer_id == customer_id:
        return {"cards": (await wallet_of(services, ctx, guest)).cards, "attempt": attempt}
    if attempt is None or not attempt.why_not:
        return {"cards": [], "attempt": None}
    said = _("It could not be paid the last time.")
    return {"cards": [], "attempt": CardAttempt(card="", why_not=said)}


async def signed_in(
    request: AnyRequest, services: Services, ctx: RequestContext
) -> PortalGuest | None:
    """Nobody while nobody can be asked: the pages work without."""
    if not has_portal_cookie(request, ctx):
        return None
    try:
        return await portal_guest(request, services, ctx)
    except Unavailable:
        return None


def pay_choice(
    guest: PortalGuest | None, way: str, *, keeps: bool, tenant: TenantSnapshot, now: datetime
) -> PayChoice:
    """Who is not signed in pays on the page and keeps nothing, whatever was sent."""
    if guest is None:
        return PayChoice()
    card_id = card_of_way(way)
    consent = None
    if keeps and card_id is None:
        consent = consent_to_keep(tenant.name, now, "checkout")
    return PayChoice(customer_id=guest.customer_id, card_id=card_id, consent=consent)


async def chosen_way(
    request: AnyRequest, services: Services, ctx: RequestContext
) -> PayChoice | None:
    """What a press on a page of something held says: a card of who is signed in, or the page.

    Raises: Conflict for a card of nobody who is signed in.
    """
    way = (await read_form(request)).texts.get("way", [""])[-1]
    card_id = card_of_way(way)
    if card_id is None:
        return None
    guest = await signed_in(request, services, ctx)
    if guest is None:
        raise card_not_kept()
    return PayChoice(customer_id=guest.customer_id, card_id=card_id)
