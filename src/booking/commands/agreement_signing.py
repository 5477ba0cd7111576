"""Signing agreements: with a booking or a purchase, or by itself afterwards.

The version is read behind a lock that whoever publishes another one waits for, so a signature
always names the text that was shown and that held.
Source: docs/algorithms/agreements.md.
"""

from collections.abc import Iterable, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select

from src.booking.domain.agreements import (
    LONGEST_BROWSER,
    LONGEST_SIGNATURE,
    Needed,
    SignedHow,
    Signing,
    has_changed,
    not_agreed,
    please_agree,
    sign_with_name,
)
from src.booking.models import AgreementSignature
from src.booking.queries.agreements import find_needed, find_to_ask
from src.booking.queries.agreements_waiting import find_waiting, find_waiting_of_order
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.customers import keep_customer
from src.tenants.domain.naming import on_one_line
from src.tenants.models import Customer

SIGNATURES = cast(Table, AgreementSignature.__table__)


class NotAgreed(InvalidInput):
    """Something that is asked for was not agreed to as it now is, or not signed by name: `missing`
    names what. The fields are `agree` and `signature`.
    """

    code = "agreements_missing"

    def __init__(self, missing: Sequence[Needed], fields: dict[str, str]) -> None:
        super().__init__(" ".join(fields.values()), code=self.code, fields=fields)
        self.missing = tuple(missing)


async def find_to_sign(
    uow: UnitOfWork,
    signing: Signing | None,
    customer_id: UUID | None,
    *,
    service_id: UUID | None = None,
    series_id: UUID | None = None,
    package_id: UUID | None = None,
) -> list[Needed]:
    """What is to be signed with this booking or purchase, all of it agreed to. `customer_id` is who
    has proved who they are. No new version comes between this and COMMIT.

    Raises: NotAgreed.
    """
    needed = await find_needed(
        uow,
        service_id=service_id,
        series_id=series_id,
        package_id=package_id,
        is_signing=True,
    )
    asked = await find_to_ask(uow, needed, customer_id)
    if signing is not None and signing.how is SignedHow.API:
        _refuse_others(needed, signing)
    refuse_unless_agreed(asked, signing)
    return asked


def _refuse_others(needed: Iterable[Needed], signing: Signing) -> None:
    """A program that agrees to what nobody asks for has mistaken something."""
    if set(signing.version_ids) - {one.version_id for one in needed}:
        raise NotAgreed([], {"agree": _("This version is not asked for, or not any more.")})


def refuse_unless_agreed(asked: Sequence[Needed], signing: Signing | None) -> None:
    """Raises: NotAgreed, which says whether something has changed since it was shown."""
    missing = not_agreed(asked, signing)
    fields: dict[str, str] = {}
    if missing:
        agreed = signing is not None and bool(signing.version_ids)
        fields["agree"] = has_changed(missing) if agreed else please_agree(missing)
    name = on_one_line(signing.name) if signing is not None else ""
    if asked and not name:
        fields["signature"] = sign_with_name()
    elif len(name) > LONGEST_SIGNATURE:
        fields["signature"] = _("Use at most %(limit)s characters.", limit=LONGEST_SIGNATURE)
    if fields:
        raise NotAgreed(missing, fields)


def insert_signatures(
    uow: UnitOfWork,
    asked: Sequence[Needed],
    signing: Signing | None,
    *,
    customer_id: UUID,
    order_id: UUID | None,
    is_proved: bool,
) -> None:
    """Written together with the order: rows that nobody else waits for."""
    if not asked:
        return
    assert signing is not None
    row = {
        "customer_id": customer_id,
        "order_id": order_id,
        "name": on_one_line(signing.name),
        "address": signing.address,
        "browser": signing.browser[:LONGEST_BROWSER],
        "how": str(signing.how),
        "is_proved": is_proved,
        "signed_at": uow.clock.now(),
    }
    rows = [
        {"tenant_id": uow.tenant, "id": new_id(), "version_id": one.version_id, **row}
        for one in asked
    ]
    uow.insert(SIGNATURES, rows)


async def sign_what_waits(uow: UnitOfWork, customer_id: UUID, signing: Signing) -> int:
    """Signs, for who is signed in, of what waits for their signature that to which they agreed, and
    returns how many. Sent twice it signs once.

    Raises: NotFound, NotAgreed.
    """
    kept_id = await _one_at_a_time(uow, customer_id)
    waiting = await find_waiting(uow, kept_id, is_signing=True)
    return await _sign(uow, waiting, signing, customer_id=kept_id, order_id=None)


async def sign_for_order(
    uow: UnitOfWork, customer_id: UUID, order_id: UUID, signing: Signing
) -> int:
    """The same for who has the link of one order, which proves nothing more: it stands for that
    order alone.

    Raises: NotFound, NotAgreed.
    """
    kept_id = await _one_at_a_time(uow, customer_id)
    waiting = await find_waiting_of_order(uow, kept_id, order_id, is_signing=True)
    return await _sign(uow, waiting, signing, customer_id=kept_id, order_id=order_id)


async def _one_at_a_time(uow: UnitOfWork, customer_id: UUID) -> UUID:
    """The customer to sign for, whose other signing is waited for. Raises: NotFound."""
    kept_id = await keep_customer(uow, customer_id)
    await uow.session.execute(
        select(Customer.id)
        .where(Customer.tenant_id == uow.tenant, Customer.id == kept_id)
        .with_for_update(key_share=True)
    )
    return kept_id


async def _sign(
    uow: UnitOfWork,
    asked: Sequence[Needed],
    signing: Signing,
    *,
    customer_id: UUID,
    order_id: UUID | None,
) -> int:
    refuse_unless_agreed(asked, signing)
    insert_signatures(
        uow,
        asked,
        signing,
        customer_id=customer_id,
        order_id=order_id,
        is_proved=order_id is None,
    )
    return len(asked)
