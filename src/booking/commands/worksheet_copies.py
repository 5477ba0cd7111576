"""Giving a customer a worksheet to fill in, by staff, or because what they bought asks for it; and
taking it back.

Whoever gives one locks the customer first, so that repeats and retries find what was given before;
what a purchase asks for locks the order before that.
Source: docs/algorithms/worksheets.md.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, true

from src.billing.commands.orders import lock_order
from src.booking.commands.worksheets import find_newest_sheet, get_worksheet, no_such_worksheet
from src.booking.domain.worksheets import LONGEST_REASON, OPEN_COPIES, AskedRule, CopyState
from src.booking.events import WorksheetsGiven
from src.booking.models import WorksheetCopy, WorksheetFile, WorksheetVersion
from src.booking.queries.group_givers import still_stands
from src.booking.queries.worksheet_needs import AskedOf, find_asked
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer, keep_customers
from src.tenants.context import RequestContext
from src.tenants.models import Customer

OPEN = tuple(sorted(str(state) for state in OPEN_COPIES))


async def give_worksheet(
    uow: UnitOfWork, ctx: RequestContext, copy_id: UUID, worksheet_id: UUID, customer_id: UUID
) -> bool:
    """Gives the newest version to a customer, who gets a mail with the link. Who has it already and
    has not sent it is mailed the link of that one again; returns whether there is a new one. The
    same `copy_id` again gives and mails nothing.

    Raises: NotFound; InvalidInput at `worksheet_id` for one that was never published, and where the
    customer has no address to write to.
    """
    kept_id = await keep_customer(uow, customer_id)
    customer = await _lock_customer(uow, kept_id)
    if await uow.session.get(WorksheetCopy, (uow.tenant, copy_id)) is not None:
        return True
    version = await _version_to_give(uow, worksheet_id, customer)
    known = await uow.session.scalar(
        select(WorksheetCopy.id)
        .where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.worksheet_id == worksheet_id,
            WorksheetCopy.customer_id == kept_id,
            WorksheetCopy.state.in_(OPEN),
        )
        .order_by(WorksheetCopy.asked_at.desc(), WorksheetCopy.id)
        .limit(1)
    )
    if known is None:
        _add(uow, copy_id, version.id, worksheet_id, kept_id, given_by=ctx.actor.name)
    given = copy_id if known is None else known
    uow.record(WorksheetsGiven(action_id=copy_id, customer_id=kept_id, copy_ids=[given]))
    await audit(uow, ctx, "worksheet.given", "customer", kept_id, title=version.title)
    await uow.session.flush()
    return known is None


async def _version_to_give(
    uow: UnitOfWork, worksheet_id: UUID, customer: Customer
) -> WorksheetVersion:
    """Raises: NotFound, InvalidInput."""
    await get_worksheet(uow, worksheet_id)
    version = await find_newest_sheet(uow, worksheet_id)
    if version is None:
        sentence = _("This worksheet is not published yet.")
    elif not customer.email:
        sentence = _("Add an e-mail address first: the link goes by mail.")
    else:
        return version
    raise InvalidInput(sentence, fields={"worksheet_id": sentence})


async def ask_for_orders(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Gives what these orders ask for to their customers and returns, by order, the copies that are
    new. One of which nothing stands any more asks for nothing. Under the rule `once` who ever had
    the worksheet is not asked again, by whatever way it came, unless it was taken back; under
    `each` an order asks once. An order never asks twice.
    """
    asked = await _asked_by_standing(uow, order_ids)
    if not asked:
        return {}
    kept = await keep_customers(uow, {one.customer_id for one in asked})
    await lock_customers(uow, sorted(set(kept.values())))
    known = await _known(uow, asked, kept)
    given: dict[UUID, list[UUID]] = {}
    for one in asked:
        customer_id = kept.get(one.customer_id)
        if customer_id is None:
            continue
        by = {(one.worksheet_id, one.order_id)}
        if one.rule == AskedRule.ONCE:
            by.add((one.worksheet_id, customer_id))
        if by & known:
            continue
        known |= {(one.worksheet_id, customer_id), (one.worksheet_id, one.order_id)}
        copy_id = new_id()
        ids = (copy_id, one.version_id, one.worksheet_id, customer_id)
        _add(uow, *ids, order_id=one.order_id)
        given.setdefault(one.order_id, []).append(copy_id)
    await uow.session.flush()
    return given


async def _asked_by_standing(uow: UnitOfWork, order_ids: Sequence[UUID]) -> list[AskedOf]:
    """The orders are locked, so that none is cancelled between the look at it and COMMIT."""
    asked = await find_asked(uow, order_ids)
    standing = set()
    for order_id in sorted({one.order_id for one in asked}):
        await lock_order(uow, order_id)
        if await still_stands(uow, order_id):
            standing.add(order_id)
    return [one for one in asked if one.order_id in standing]


async def _known(
    uow: UnitOfWork, asked: Sequence[AskedOf], kept: dict[UUID, UUID]
) -> set[tuple[UUID, UUID]]:
    """Each worksheet beside the customer who has it, and beside the order that asked for it. What
    was taken back nobody has.
    """
    found = await uow.session.execute(
        select(
            WorksheetCopy.worksheet_id,
            WorksheetCopy.customer_id,
            WorksheetCopy.order_id,
            WorksheetCopy.state,
        ).where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.worksheet_id.in_({one.worksheet_id for one in asked}),
            or_(
                WorksheetCopy.customer_id.in_(set(kept.values())),
                WorksheetCopy.order_id.in_({one.order_id for one in asked}),
            ),
        )
    )
    known: set[tuple[UUID, UUID]] = set()
    for worksheet_id, customer_id, order_id, state in found.tuples():
        if state != CopyState.TAKEN_BACK:
            known.add((worksheet_id, customer_id))
        if order_id is not None:
            known.add((worksheet_id, order_id))
    return known


async def reopen_copy(
    uow: UnitOfWork,
    ctx: RequestContext,
    worksheet_id: UUID,
    copy_id: UUID,
    why: str,
) -> None:
    """Lets the guest correct what they sent, and mails them the link with what staff wrote. One
    that is open already stays as it is, and nobody is written to.

    Raises: NotFound; InvalidInput at `why`; Conflict for a guest without an address.
    """
    if len(why) > LONGEST_REASON:
        sentence = _("Shorten the text to %(limit)s characters.", limit=LONGEST_REASON)
        raise InvalidInput(sentence, fields={"why": sentence})
    copy = await lock_copy(uow, copy_id)
    if copy.worksheet_id != worksheet_id:
        raise no_such_worksheet()
    if copy.state != CopyState.SENT:
        return
    customer = await uow.session.get_one(Customer, (uow.tenant, copy.customer_id))
    if not customer.email:
        raise Conflict(_("Nobody can be asked to correct it: there is no e-mail address."))
    copy.state, copy.reopened_why = str(CopyState.REOPENED), why.strip()
    uow.record(
        WorksheetsGiven(action_id=new_id(), customer_id=copy.customer_id, copy_ids=[copy_id])
    )
    version = await uow.session.get_one(WorksheetVersion, (uow.tenant, copy.version_id))
    await audit(uow, ctx, "worksheet.reopened", "customer", copy.customer_id, title=version.title)
    await uow.session.flush()


async def mail_links_again(
    uow: UnitOfWork, customer_id: UUID, among: Sequence[UUID] | None = None
) -> int:
    """One mail with new links to what the customer has not sent, or to those `among` it: their
    address is another one, with which the former links ended. Returns how many there are.
    """
    found = await uow.session.scalars(
        select(WorksheetCopy.id)
        .where(
            WorksheetCopy.tenant_id == uow.tenant,
            WorksheetCopy.customer_id == customer_id,
            WorksheetCopy.state.in_(OPEN),
            true() if among is None else WorksheetCopy.id.in_(among),
        )
        .order_by(WorksheetCopy.asked_at, WorksheetCopy.id)
    )
    copy_ids = list(found)
    if copy_ids:
        uow.record(WorksheetsGiven(action_id=new_id(), customer_id=customer_id, copy_ids=copy_ids))
    return len(copy_ids)


async def take_back_copy(
    uow: UnitOfWork, ctx: RequestContext, worksheet_id: UUID, copy_id: UUID
) -> CopyState:
    """Ends what the guest has not sent: the link leads nowhere, and what they saved goes. One that
    staff opened again closes as it was sent. Nobody is written to.

    Raises: NotFound; Conflict for what was sent, and for what its guest has begun to correct.
    """
    copy = await lock_copy(uow, copy_id)
    if copy.worksheet_id != worksheet_id:
        raise no_such_worksheet()
    state = CopyState(copy.state)
    if state is CopyState.TAKEN_BACK:
        return state
    if state is CopyState.SENT:
        raise Conflict(_("It is sent by now, so there is nothing to take back."))
    if state is CopyState.REOPENED and copy.draft is not None:
        raise Conflict(_("The guest has begun to correct it. It closes once they send it."))
    if state is CopyState.REOPENED:
        became, action = CopyState.SENT, "worksheet.closed"
    else:
        became, action = CopyState.TAKEN_BACK, "worksheet.taken_back"
        copy.answers = []
        await uow.session.execute(
            delete(WorksheetFile).where(
                WorksheetFile.tenant_id == uow.tenant, WorksheetFile.copy_id == copy_id
            ),
            execution_options={"synchronize_session": False},
        )
    copy.state, copy.reopened_why = str(became), ""
    version = await uow.session.get_one(WorksheetVersion, (uow.tenant, copy.version_id))
    await audit(uow, ctx, action, "customer", copy.customer_id, title=version.title)
    await uow.session.flush()
    return became


async def delete_sent_file(
    uow: UnitOfWork, ctx: RequestContext, worksheet_id: UUID, copy_id: UUID, file_id: UUID
) -> None:
    """Makes room for others. The answers stay as they were sent, and where the file was they say
    that it was deleted. Nobody is written to.

    Raises: NotFound, also for one that is gone already; Conflict for what is not sent, as its guest
    may still change the file.
    """
    copy = await lock_copy(uow, copy_id)
    if copy.worksheet_id != worksheet_id:
        raise no_such_worksheet()
    if copy.state != CopyState.SENT:
        raise Conflict(_("It is with the guest just now, who can still change the file."))
    filename = await uow.session.scalar(
        delete(WorksheetFile)
        .where(
            WorksheetFile.tenant_id == uow.tenant,
            WorksheetFile.copy_id == copy_id,
            WorksheetFile.id == file_id,
        )
        .returning(WorksheetFile.filename),
        execution_options={"synchronize_session": False},
    )
    if filename is None:
        raise NotFound(_("There is no such file, or it was deleted."))
    version = await uow.session.get_one(WorksheetVersion, (uow.tenant, copy.version_id))
    detail = {"title": version.title, "file": filename}
    await audit(uow, ctx, "worksheet.file_deleted", "customer", copy.customer_id, **detail)


async def lock_copy(uow: UnitOfWork, copy_id: UUID) -> WorksheetCopy:
    """Against whoever else fills it in or opens it. Raises: NotFound."""
    row: WorksheetCopy | None = await uow.session.scalar(
        select(WorksheetCopy)
        .where(and_(WorksheetCopy.tenant_id == uow.tenant, WorksheetCopy.id == copy_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(_("There is no such worksheet."))
    return row


async def _lock_customer(uow: UnitOfWork, customer_id: UUID) -> Customer:
    await lock_customers(uow, [customer_id])
    return await uow.session.get_one(Customer, (uow.tenant, customer_id))


async def lock_customers(uow: UnitOfWork, customer_ids: Sequence[UUID]) -> None:
    """By id, as everybody does; what merely refers to them is not held up."""
    await uow.session.execute(
        select(Customer.id)
        .where(Customer.tenant_id == uow.tenant, Customer.id.in_(customer_ids))
        .order_by(Customer.id)
        .with_for_update(key_share=True)
    )


def _add(
    uow: UnitOfWork,
    copy_id: UUID,
    version_id: UUID,
    worksheet_id: UUID,
    customer_id: UUID,
    *,
    order_id: UUID | None = None,
    given_by: str = "",
) -> None:
    uow.session.add(
        WorksheetCopy(
            tenant_id=uow.tenant,
            id=copy_id,
            worksheet_id=worksheet_id,
            version_id=version_id,
            customer_id=customer_id,
            order_id=order_id,
            state=str(CopyState.ASKED),
            answers=[],
            given_by=given_by,
            reopened_why="",
            asked_at=uow.clock.now(),
        )
    )
