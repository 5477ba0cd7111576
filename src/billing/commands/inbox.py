"""The inbox of the processor's events: stored once as they came, handled by a job."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm.attributes import set_committed_value

from src.billing.events import ProcessorEventReceived
from src.billing.models import ConnectedAccount, InboxEvent
from src.billing.processor import ProcessorEvent
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id

Endpoint = Literal["platform", "connect"]

HANDLED_TYPES = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "payment_method.automatically_updated",
        "payment_method.updated",
        "payment_method.detached",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
        "account.updated",
        "account.application.deauthorized",
    }
)
"""What businesses' accounts tell us that has an effect here; a test holds them to the handlers of
`jobs.processor_events`, which commands may not import.
"""


NOTHING_TO_DO = "nothing to do"


async def receive_event(uow: UnitOfWork, endpoint: Endpoint, event: ProcessorEvent) -> str:
    """Stores the event and, in the same transaction, lets a job take it up.

    The unit of work has no tenant yet; it becomes that of the event's account. An event that came
    before, or whose account is unknown, is stored and needs no job; one of a kind that nobody waits
    for leaves no trace, for a payment has several of them.
    Returns the outcome known so far: "stored", "repeated", or why nothing will happen.
    """
    if event.type not in HANDLED_TYPES:
        return NOTHING_TO_DO
    tenant_id = await _tenant_of(uow, event) if endpoint == "connect" else None
    outcome = _outcome_at_once(endpoint, event, tenant_id)
    inbox_id = await _store(uow, endpoint, event, outcome)
    if inbox_id is None:
        return "repeated"
    if outcome is None and tenant_id is not None:
        await uow.adopt(tenant_id)
        uow.record(ProcessorEventReceived(inbox_id=inbox_id))
    return outcome or "stored"


def _outcome_at_once(
    endpoint: Endpoint, event: ProcessorEvent, tenant_id: UUID | None
) -> str | None:
    if endpoint == "platform":
        return NOTHING_TO_DO
    return "unknown account" if tenant_id is None else None


async def _tenant_of(uow: UnitOfWork, event: ProcessorEvent) -> UUID | None:
    found: UUID | None = await uow.session.scalar(
        select(ConnectedAccount.tenant_id).where(ConnectedAccount.account_id == event.account_id)
    )
    return found


async def _store(
    uow: UnitOfWork, endpoint: Endpoint, event: ProcessorEvent, outcome: str | None
) -> UUID | None:
    now = uow.clock.now()
    stored: UUID | None = await uow.session.scalar(
        insert(InboxEvent)
        .values(
            id=new_id(),
            event_id=event.id,
            endpoint=endpoint,
            type=event.type,
            account_id=event.account_id,
            object_id=event.object_id,
            payload=event.payload,
            received_at=now,
            handled_at=now if outcome is not None else None,
            outcome=outcome,
        )
        .on_conflict_do_nothing(constraint="uq_webhook_inbox_event_id")
        .returning(InboxEvent.id)
    )
    return stored


async def list_unknown(uow: UnitOfWork, events: Sequence[ProcessorEvent]) -> list[ProcessorEvent]:
    """Those of the events that never came, in the same order."""
    known = set(
        await uow.session.scalars(
            select(InboxEvent.event_id).where(
                InboxEvent.event_id.in_([event.id for event in events])
            )
        )
    )
    return [event for event in events if event.id not in known]


async def find_inbox_event(uow: UnitOfWork, inbox_id: UUID) -> InboxEvent | None:
    """With its payload, which is read in the transaction of the business that it is about."""
    found: InboxEvent | None = await uow.session.get(InboxEvent, inbox_id)
    if found is not None:
        payload = await uow.session.scalar(select(func.webhook_payload(inbox_id, type_=JSONB)))
        set_committed_value(found, "payload", payload or {})
    return found


async def mark_handled(uow: UnitOfWork, inbox_id: UUID, outcome: str) -> None:
    await uow.session.execute(
        update(InboxEvent)
        .where(InboxEvent.id == inbox_id, InboxEvent.handled_at.is_(None))
        .values(handled_at=uow.clock.now(), outcome=outcome)
    )
