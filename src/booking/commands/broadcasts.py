"""Sending a mail to many: committed at once, carried out by jobs in chunks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select

from src.billing.commands.due import add_due
from src.booking.domain.broadcasting import (
    MOST_A_DAY,
    Audience,
    BroadcastDraft,
    Recipient,
    draft_errors,
)
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.events import BroadcastTried, BroadcastWaiting
from src.booking.models import Broadcast, BroadcastMail
from src.booking.queries.broadcasts import (
    count_recipients,
    count_since,
    list_recipients,
    names_of_audiences,
)
from src.platform.db import register_constraint
from src.platform.db.batch import insert_unless_taken
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, Unavailable
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import LOOKS, keep_customers
from src.tenants.context import RequestContext
from src.tenants.customer_rows import CustomerRows, register_customer_rows

BROADCAST_DUE = "broadcast"
ID_IS_USED = "broadcast_id_used"
SENT_AT_ONCE = "already_submitted"
LATER_EVERY = timedelta(minutes=15)
_MAILS = cast(Table, BroadcastMail.__table__)

register_constraint(
    "pk_broadcasts",
    lambda: Conflict(_("This has been sent already."), code=SENT_AT_ONCE),
)


def register_broadcasts_of_customers() -> None:
    """Who was written to stays known under the customer who is left."""
    register_customer_rows(
        CustomerRows(
            table=_MAILS,
            words=lambda count: ngettext(
                "%(num)s message to many", "%(num)s messages to many", count
            ),
            shown=("broadcast_id", "address", "name", "written_at"),
            erased=None,
        )
    )


async def send_broadcast(
    uow: UnitOfWork,
    ctx: RequestContext,
    broadcast_id: UUID,
    draft: BroadcastDraft,
    *,
    seen: int | None = None,
) -> None:
    """Lets the mail go to everybody it is for now. The same mail under the same id does nothing.

    `seen` is how many people it was shown to be for; None where nobody was shown it.

    Raises: NotFound, InvalidInput; Conflict for too many in a day, `ID_IS_USED` where another mail
    left under this id, `CHANGED_MEANWHILE` where it is for another number of people than `seen`.
    """
    sent = await uow.session.get(Broadcast, (uow.tenant, broadcast_id))
    if sent is not None:
        _refuse_unless_same(sent, draft)
        return
    names = await names_of_audiences(uow, draft.audiences, ctx.here.zone)
    if errors := draft_errors(draft):
        raise InvalidInput(_("This cannot be sent like this."), fields=errors)
    now = uow.clock.now()
    if await count_since(uow, now - timedelta(days=1)) >= MOST_A_DAY:
        raise Conflict(
            _("That is enough for one day. Please go on tomorrow."), code="too_many_broadcasts"
        )
    total, _all = await count_recipients(uow, draft.audiences, needs_consent=draft.is_marketing)
    if total == 0:
        raise InvalidInput(_("There is nobody to write to."), fields={})
    if seen not in (None, total):
        raise Conflict(
            _("Another number of people gets it than when you looked, so nothing is sent yet."),
            code=CHANGED_MEANWHILE,
        )
    uow.session.add(
        Broadcast(
            tenant_id=uow.tenant,
            id=broadcast_id,
            audiences=[one.text for one in draft.audiences],
            is_marketing=draft.is_marketing,
            to_later=draft.to_later,
            subject=" ".join(draft.subject.split()),
            body=draft.body.strip(),
            total=total,
            sent_by=ctx.actor.name,
            sent_at=now,
        )
    )
    name = ", ".join(names)
    await audit(uow, ctx, "broadcast.sent", "broadcast", broadcast_id, name=name, to=total)
    if draft.to_later:
        await add_due(uow, BROADCAST_DUE, broadcast_id, now + LATER_EVERY)
    uow.record(BroadcastWaiting(broadcast_id=broadcast_id))


def _refuse_unless_same(sent: Broadcast, draft: BroadcastDraft) -> None:
    same = (
        set(sent.audiences) == {one.text for one in draft.audiences}
        and sent.is_marketing == draft.is_marketing
        and sent.to_later == draft.to_later
        and sent.subject == " ".join(draft.subject.split())
        # A browser ends a line in another way than a program does.
        and sent.body.splitlines() == draft.body.strip().splitlines()
    )
    if not same:
        raise Conflict(
            _("Another mail has left from this form already, and this one has not."),
            code=ID_IS_USED,
        )


async def try_broadcast(uow: UnitOfWork, ctx: RequestContext, draft: BroadcastDraft) -> None:
    """Lets the mail go to the one who writes it, with the data of one of those it is for.

    Raises: NotFound, InvalidInput.
    """
    await names_of_audiences(uow, draft.audiences, ctx.here.zone)
    if errors := draft_errors(draft):
        raise InvalidInput(_("This cannot be sent like this."), fields=errors)
    uow.record(
        BroadcastTried(
            trial_id=new_id(),
            user_id=ctx.user_id,
            audiences=[one.text for one in draft.audiences],
            is_marketing=draft.is_marketing,
            subject=draft.subject,
            body=draft.body,
        )
    )


async def lock_broadcast(uow: UnitOfWork, broadcast_id: UUID) -> Broadcast:
    """Two runs of one broadcast follow each other."""
    found = await uow.session.scalars(
        select(Broadcast)
        .where(Broadcast.tenant_id == uow.tenant, Broadcast.id == broadcast_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.one()


async def hold_recipients(
    uow: UnitOfWork, broadcast: Broadcast, audiences: Sequence[Audience], most: int
) -> list[Recipient]:
    """The next who are to be written to, none of whom is merged or erased before COMMIT.

    Raises: Unavailable while one merge or erasure follows another.
    """
    for _look in range(LOOKS):
        people = await list_recipients(
            uow,
            audiences,
            needs_consent=broadcast.is_marketing,
            most=most,
            broadcast_id=broadcast.id,
            as_of=broadcast.sent_at,
        )
        as_read = {one.customer_id: one.customer_id for one in people}
        # Who was merged may have another address or no consent, and who was erased has none.
        if await keep_customers(uow, as_read) == as_read:
            return people
    raise Unavailable(_("We are very busy just now. Please try again."), code="busy")


async def claim_recipients(
    uow: UnitOfWork, broadcast_id: UUID, people: list[Recipient]
) -> list[Recipient]:
    """Those of who is held that nobody has written to: what is returned is mailed by this
    transaction alone.
    """
    if not people:
        return []
    by_id = {new_id(): one for one in people}
    rows = [
        {
            "tenant_id": uow.tenant,
            "id": row_id,
            "broadcast_id": broadcast_id,
            "customer_id": one.customer_id,
            "address": one.address,
            "name": one.name,
            "written_at": uow.clock.now(),
        }
        for row_id, one in by_id.items()
    ]
    claimed = await insert_unless_taken(uow.session, _MAILS, rows, "uq_broadcast_mails_address")
    return [one for row_id, one in by_id.items() if row_id in claimed]
