"""What staff write about customers: who they are, notes, tags. Each act is in the audit log."""

from uuid import UUID

import msgspec
from sqlalchemy import delete, insert, select

from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer, no_such_customer, normalise_email
from src.tenants.context import RequestContext
from src.tenants.domain.customer_tags import read_tags
from src.tenants.domain.phones import dialled_phone, not_a_phone
from src.tenants.models import Customer, CustomerNote, CustomerTag

LONGEST_NAME, LONGEST_NOTE = 120, 4000


def _address_taken() -> InvalidInput:
    sentence = _("A customer has this e-mail address already.")
    return InvalidInput(sentence, fields={"email": sentence})


register_constraint("uq_customers_email", _address_taken)


class KnownAddress(Conflict):
    """The address is somebody's; `customer_id` is theirs, or of who they were merged into."""

    code = "known_address"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(_("A customer has this e-mail address already."))
        self.customer_id = customer_id


class CustomerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as typed; without an e-mail address it takes a phone number."""

    name: str
    email: str = ""
    phone: str = ""
    is_established: bool = False


async def add_customer(uow: UnitOfWork, ctx: RequestContext, cmd: CustomerDetails) -> UUID:
    """Raises: InvalidInput with every field that will not do; KnownAddress."""
    wanted = _checked(ctx, cmd)
    await _refuse_known_address(uow, wanted.email, None)
    customer_id = new_id()
    uow.session.add(
        Customer(
            tenant_id=uow.tenant,
            id=customer_id,
            email=wanted.email or None,
            name=wanted.name,
            phone=wanted.phone,
            is_established=wanted.is_established,
            created_at=uow.clock.now(),
        )
    )
    await audit(uow, ctx, "customer.added", "customer", customer_id, name=wanted.name)
    return customer_id


async def change_customer(
    uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, cmd: CustomerDetails
) -> None:
    """What orders say stays as the guest wrote it then.

    Raises: NotFound, also for one who was merged; InvalidInput; KnownAddress.
    """
    customer = await _customer(uow, customer_id)
    wanted = _checked(ctx, cmd)
    await _refuse_known_address(uow, wanted.email, customer_id)
    values = {**msgspec.structs.asdict(wanted), "email": wanted.email or None}
    changed = [field for field, value in values.items() if getattr(customer, field) != value]
    before = {field: getattr(customer, field) for field in changed}
    for field in changed:
        setattr(customer, field, values[field])
    if changed:
        detail = {"name": wanted.name, "changed": changed, "was": before}
        await audit(uow, ctx, "customer.changed", "customer", customer_id, **detail)


async def add_note(uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, text: str) -> None:
    """Raises: NotFound; InvalidInput for a note that says nothing, or too much."""
    kept_id, text = await keep_customer(uow, customer_id), text.strip()
    if not text or len(text) > LONGEST_NOTE:
        sentence = _("Please write a note of at most %(most)s characters.", most=LONGEST_NOTE)
        raise InvalidInput(sentence, fields={"text": sentence})
    uow.session.add(
        CustomerNote(
            tenant_id=uow.tenant,
            customer_id=kept_id,
            text=text,
            author_id=ctx.actor.user_id,
            author_name=ctx.actor.name,
            created_at=uow.clock.now(),
        )
    )


async def remove_note(
    uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, note_id: UUID
) -> None:
    """Raises: NotFound; a note that is gone already is as absent as another business's."""
    note = await uow.session.get(CustomerNote, (uow.tenant, note_id))
    if note is None or note.customer_id != customer_id:
        raise NotFound(_("There is no such note."))
    await uow.session.delete(note)
    detail = {"written_by": note.author_name, "written_at": note.created_at.isoformat()}
    await audit(uow, ctx, "customer.note_removed", "customer", customer_id, **detail)


async def set_tags(uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, typed: str) -> None:
    """The customer has these words from now on, and no others; separated by commas.

    Raises: NotFound; InvalidInput for too many, or too long ones.
    """
    kept_id = await keep_customer(uow, customer_id)
    words = read_tags(typed)
    own = (CustomerTag.tenant_id == uow.tenant, CustomerTag.customer_id == kept_id)
    before = set(await uow.session.scalars(select(CustomerTag.word).where(*own).with_for_update()))
    if set(words) == before:
        return
    await uow.session.execute(delete(CustomerTag).where(*own, CustomerTag.word.not_in(words)))
    added = [word for word in words if word not in before]
    if added:
        rows = [
            {"tenant_id": uow.tenant, "id": new_id(), "customer_id": kept_id, "word": word}
            for word in added
        ]
        await uow.session.execute(insert(CustomerTag).values(rows))
    detail = {"before": ", ".join(sorted(before)) or "–", "after": ", ".join(words) or "–"}
    await audit(uow, ctx, "customer.tagged", "customer", kept_id, **detail)


async def _customer(uow: UnitOfWork, customer_id: UUID) -> Customer:
    """The row, locked against a merge and against another's change of it."""
    customer = await uow.session.scalar(
        select(Customer)
        .where(
            Customer.tenant_id == uow.tenant,
            Customer.id == customer_id,
            Customer.merged_into.is_(None),
            Customer.erased_at.is_(None),
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if customer is None:
        raise no_such_customer()
    return customer


def _checked(ctx: RequestContext, cmd: CustomerDetails) -> CustomerDetails:
    errors: dict[str, str] = {}
    name, email = " ".join(cmd.name.split()), normalise_email(cmd.email)
    if not name:
        errors["name"] = _("Please fill this in.")
    elif len(name) > LONGEST_NAME:
        errors["name"] = _("Please give a name of at most %(most)s characters.", most=LONGEST_NAME)
    phone = dialled_phone(cmd.phone, ctx.here.country) if cmd.phone.strip() else ""
    if phone is None:
        errors["phone"] = not_a_phone()
    elif not email and not phone:
        errors["email"] = _("Please give an e-mail address or a phone number.")
    if errors:
        raise InvalidInput(_("Please look at the marked fields."), fields=errors)
    return CustomerDetails(
        name=name, email=email, phone=phone or "", is_established=cmd.is_established
    )


async def _refuse_known_address(uow: UnitOfWork, email: str, own_id: UUID | None) -> None:
    """Its own signpost may come back to it; anybody else's address may not be taken."""
    if not email:
        return
    found = await uow.session.scalar(
        select(Customer).where(Customer.tenant_id == uow.tenant, Customer.email == email)
    )
    if found is None or found.id == own_id:
        return
    if own_id is not None and found.merged_into == own_id:
        found.email = None
        await uow.session.flush()
        return
    raise KnownAddress(found.merged_into or found.id)
