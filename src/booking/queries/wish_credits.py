"""The credits that could pay for what a guest is about to book.

Only who has signed in is asked about any: typing somebody's address shows nothing of theirs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import exists, select

from src.billing.domain.credits import LotFacts, LotState, lot_state, usable_lots
from src.billing.domain.lot_users import Comer
from src.billing.models import CreditLot
from src.billing.queries.lots import list_lots_to_pay, no_such_credits
from src.booking.domain.by_credit import CreditFacts, for_party, why_not_by_credit
from src.booking.domain.quotes import Quote
from src.booking.domain.reasons import ReasonCode, guest_sentence
from src.booking.queries.wish_asked import AskedFor
from src.booking.views.guest import CreditChoice, WishCredits
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

WAY = "credit:"
"""What a form sends for a lot begins so; its id follows."""


class Purse(msgspec.Struct, frozen=True, kw_only=True):
    """Whose credits may be looked at, which is nobody's without a sign-in, and which of their lots
    is asked for.
    """

    customer_id: UUID | None = None
    lot_id: UUID | None = None


def key_of_lot(lot_id: UUID) -> str:
    return f"{WAY}{lot_id}"


def lot_of_way(typed: str) -> UUID | None:
    """The lot that a form's way to pay names; None for any other way."""
    if not typed.startswith(WAY):
        return None
    try:
        return UUID(typed.removeprefix(WAY))
    except ValueError:
        return None


async def find_credits(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    asked: AskedFor,
    quote: Quote,
    purse: Purse,
    *,
    has_way: bool,
    party: Sequence[Comer] | None = None,
) -> WishCredits:
    """What may pay for the quoted party, and what does: the lot that is asked for, else the first
    that fits, unless another way was chosen (`has_way`): whoever wants to pay with credits is not
    led to money because one lot has too few. `party` are those who come.
    """
    judged = _Judged(asked, quote, party, uow.clock.now())
    closed = asked.refuse(1)
    found = WishCredits(
        is_only=[reason.code for reason in closed] == [ReasonCode.CREDIT_ONLY],
        worth_minor=asked.quote(1).unit_minor,
    )
    if purse.customer_id is None:
        return await _for_stranger(uow, asked, found, purse)
    lots = await list_lots_to_pay(uow, purse.customer_id)
    choices: list[CreditChoice] = []
    if asked.takes_credits and not asked.refuse_by_credit(quote.party_size):
        choices = judged.choices(lots)
    asked_for = [lot for lot in lots if lot.id == purse.lot_id]
    pool = {lot_id for lot in asked_for for lot_id in judged.facts(lot).lot.lot_ids}
    wanted = next((one for one in choices if one.lot_ids == pool), None)
    error = None
    if purse.lot_id is not None and wanted is None:
        error = judged.why_not(asked_for)
    paying = wanted
    if wanted is None and choices and not has_way:
        paying = choices[0]
    note = ""
    if asked.takes_credits and not choices and error is None:
        note = judged.note(lots)
    return msgspec.structs.replace(found, choices=choices, paying=paying, error=error, note=note)


async def _for_stranger(
    uow: UnitOfWork, asked: AskedFor, found: WishCredits, purse: Purse
) -> WishCredits:
    error = _("Please sign in to use your credits.") if purse.lot_id is not None else None
    may = asked.takes_credits and await _are_there_any(uow)
    return msgspec.structs.replace(found, may_sign_in=may, error=error)


async def _are_there_any(uow: UnitOfWork) -> bool:
    """Whether the business owes anybody a credit; only then is it worth asking a stranger."""
    owed = exists().where(
        CreditLot.tenant_id == uow.tenant, CreditLot.state == "active", CreditLot.balance > 0
    )
    return bool(await uow.session.scalar(select(owed)))


class _Judged(NamedTuple):
    """What lots are held against."""

    asked: AskedFor
    quote: Quote
    party: Sequence[Comer] | None
    now: datetime

    def facts(self, lot: LotFacts) -> CreditFacts:
        return for_party(self.asked.credit_facts(self.quote, lot), self.party, self.now)

    def choices(self, lots: Sequence[LotFacts]) -> list[CreditChoice]:
        """Those that may pay, in the order to offer them."""
        judged = [self.facts(lot) for lot in lots]
        fitting = [facts for facts in judged if not why_not_by_credit(facts, self.now)]
        if not fitting:
            return []
        target, needed = fitting[0].target, fitting[0].needed
        ends = {lot.id: lot.expires_at for lot in lots}
        once: dict[frozenset[UUID], LotFacts] = {}
        for lot in usable_lots([facts.lot for facts in fitting], target, needed, self.now):
            # Lots that pay together are one choice, named by the one that is offered first.
            once.setdefault(lot.lot_ids, lot)
        return [
            CreditChoice(
                key=key_of_lot(lot.id),
                name=lot.name,
                needed=needed,
                left=lot.balance,
                expires_at=lot.expires_at,
                lot_ids=lot.lot_ids,
                is_first_end=len({ends[lot_id] for lot_id in lot.lot_ids}) > 1,
            )
            for lot in once.values()
        ]

    def note(self, lots: Sequence[LotFacts]) -> str:
        """Why none may pay of those that one looks for here: what can be used, or else what is
        bought and not paid yet; nothing where one owns neither.
        """
        for state in (LotState.ACTIVE, LotState.PENDING):
            own = [lot for lot in lots if lot_state(lot, self.now) is state]
            if own:
                return self.why_not(own)
        return ""

    def why_not(self, lots: Sequence[LotFacts]) -> str:
        """In a sentence, of the first of them; a lot that is not one's own looks like none."""
        for lot in lots:
            reasons = why_not_by_credit(self.facts(lot), self.now)
            if reasons:
                return guest_sentence(reasons)
        return no_such_credits().message
