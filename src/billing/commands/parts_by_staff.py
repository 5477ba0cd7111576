"""What members do about parts of a price by hand; each act is in the audit log."""

from uuid import UUID

from src.billing.commands.by_staff import taken_on_site
from src.billing.commands.due import drop_due
from src.billing.commands.instalments import get_part, pay_parts, refuse_unless_bought
from src.billing.commands.open_items import close_open_items
from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OpenItemKind
from src.billing.domain.parts import STILL_TO_PAY, PartState
from src.billing.events import PartsNotAsked, PartWaived
from src.billing.models import Instalment
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.money import Money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

LONGEST_REASON = 500


async def take_part_on_site(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, part_id: UUID
) -> Money:
    """The business took a part itself. A second press changes nothing. Returns what is written
    down. Nothing may follow it in its transaction.

    Raises: NotFound; Conflict for one that is not asked, or being charged just now.
    """
    order = await lock_order(uow, order_id)
    refuse_unless_bought(order)
    part = await get_part(uow, order_id, part_id)
    if part.state == PartState.PAID:
        return Money(0, order.currency)
    _refuse_unless_open(part)
    payment = taken_on_site(uow, order, part.minor)
    uow.session.add(payment)
    order.paid_minor += part.minor
    said = {"amount_minor": part.minor, "currency": order.currency, "number": part.number}
    await audit(uow, ctx, "order.part_paid", "order", order.id, **said)
    uow.record(PartsNotAsked(order_id=order.id))
    taken = Money(part.minor, order.currency)
    await pay_parts(uow, order, [part], payment)
    return taken


async def waive_part(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, part_id: UUID, reason: str
) -> bool:
    """The business lets its guest off a part, and says why. Returns whether it was asked until now.

    Raises: NotFound; InvalidInput at `reason`; Conflict for one that is paid, not asked, or being
    charged.
    """
    words = " ".join(reason.split())
    if not words or len(words) > LONGEST_REASON:
        said = _("Please say why, in at most %(most)s characters.", most=LONGEST_REASON)
        raise InvalidInput(said, fields={"reason": said})
    order = await lock_order(uow, order_id)
    refuse_unless_bought(order)
    part = await get_part(uow, order_id, part_id)
    if part.state == PartState.WAIVED:
        return False
    if part.state == PartState.PAID:
        raise Conflict(_("It is paid already. Give the money back from its payment."))
    _refuse_unless_open(part)
    part.state, part.why, part.decided_at = str(PartState.WAIVED), words, uow.clock.now()
    part.next_try_at = None
    await drop_due(uow, part.id)
    await close_open_items(uow, OpenItemKind.PART_OVERDUE, part.id, ctx.actor.user_id)
    uow.record(PartWaived(order_id=order.id, part_id=part.id))
    uow.record(PartsNotAsked(order_id=order.id))
    facts = {"amount_minor": part.minor, "currency": order.currency, "number": part.number}
    await audit(uow, ctx, "order.part_waived", "order", order.id, reason=words, **facts)
    return True


def _refuse_unless_open(part: Instalment) -> None:
    if part.state not in STILL_TO_PAY:
        raise Conflict(_("This part is not asked any more."), code="not_asked")
    if part.page_id is not None:
        raise Conflict(
            _("The card is being charged for this part just now. Look again in a few minutes."),
            code="being_charged",
        )
