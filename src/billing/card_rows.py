"""Cards that are kept go with their customer: merged, handed over, erased."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, case, func, select, update

from src.billing.commands.cards import end_card
from src.billing.commands.plan_cards import follow_doubles
from src.billing.domain.cards import CardState
from src.billing.events import ProcessorCustomerEnded
from src.billing.models import ProcessorCustomer, SavedCard
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.person_rows import Person

_CARDS = cast(Table, SavedCard.__table__)
_KNOWN_AS = cast(Table, ProcessorCustomer.__table__)


class _KnownAs(CustomerRows):
    """Who somebody is at the processor is no thing of its own: their cards are counted."""

    async def count(self, uow: UnitOfWork, customer_id: UUID) -> int:
        return 0

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        """New cards go to who the one that is left is there."""
        await uow.session.execute(
            update(ProcessorCustomer)
            .where(
                ProcessorCustomer.tenant_id == uow.tenant,
                ProcessorCustomer.customer_id == gone_id,
            )
            .values(is_main=False)
        )
        return await super().move(uow, gone_id, kept_id)

    async def erase(self, uow: UnitOfWork, person: Person) -> None:
        """They are nobody at the processor either, with all their cards; nor is who was to be made
        there by a call without an answer.
        """
        await super().erase(uow, person)
        ended = await uow.session.scalars(
            select(ProcessorCustomer.id).where(
                ProcessorCustomer.tenant_id == uow.tenant,
                ProcessorCustomer.customer_id.in_(person.customer_ids),
            )
        )
        for row_id in sorted(ended):
            uow.record(ProcessorCustomerEnded(row_id=row_id))


class _Cards(CustomerRows):
    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        """What the one who is left prefers stays so. One card that both kept is kept once."""
        mine = (SavedCard.tenant_id == uow.tenant, SavedCard.state == str(CardState.USABLE))
        known = select(SavedCard.fingerprint).where(
            *mine, SavedCard.customer_id == kept_id, SavedCard.fingerprint != ""
        )
        of_gone = (*mine, SavedCard.customer_id == gone_id)
        doubles = await uow.session.scalars(
            select(SavedCard.id).where(*of_gone, SavedCard.fingerprint.in_(known))
        )
        found = sorted(doubles)
        await follow_doubles(uow, found, kept_id)
        for card_id in found:
            await end_card(uow, card_id, CardState.REMOVED)
        await uow.session.execute(update(SavedCard).where(*of_gone).values(is_default=False))
        return await super().move(uow, gone_id, kept_id)


def register_cards_of_customers() -> None:
    register_customer_rows(
        _KnownAs(
            table=_KNOWN_AS,
            words=lambda count: ngettext(
                "%(num)s customer at the payment service",
                "%(num)s customers at the payment service",
                count,
            ),
            shown=(),
            erased=lambda person: {"body": {}, "is_main": False, "ended_at": person.at},
        )
    )
    register_customer_rows(
        _Cards(
            table=_CARDS,
            words=lambda count: ngettext("%(num)s card kept", "%(num)s cards kept", count),
            shown=(
                *("id", "brand", "last4", "exp_month", "exp_year", "state", "is_default"),
                *("consent", "created_at", "ended_at"),
            ),
            erased=_card_of_nobody,
        )
    )


def _card_of_nobody(person: Person) -> Mapping[str, Any]:
    usable = _CARDS.c.state == str(CardState.USABLE)
    return {
        "brand": "",
        "last4": "",
        "exp_month": 0,
        "exp_year": 0,
        "fingerprint": "",
        "consent": {},
        "is_default": False,
        "state": case((usable, str(CardState.REMOVED)), else_=_CARDS.c.state),
        "ended_at": func.coalesce(_CARDS.c.ended_at, person.at),
    }
