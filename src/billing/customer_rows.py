"""Orders, and what was used in them, go with their customer.

When a person is erased, the money stays as it is: orders with their references, what was paid, and
what went back. Who it was goes, and with it every link to their pages.
"""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    case,
    delete,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import JSONB

from src.billing.card_rows import register_cards_of_customers
from src.billing.commands.lot_users import forget_person
from src.billing.models import (
    CouponCustomer,
    CouponUse,
    CreditEntry,
    CreditLot,
    DisputeRow,
    Fee,
    Instalment,
    OpenItem,
    Order,
    OrderLine,
    Payment,
    PaymentPage,
    Refund,
)
from src.billing.queries.only_users import say_of_only_users
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.commands.own_people import register_forgetting
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.person_rows import Person, PersonRows, nothing, register_person_rows
from src.tenants.queries.own_people import register_following

_ORDERS = cast(Table, Order.__table__)
_ITEMS = cast(Table, OpenItem.__table__)


class _CouponUses(CustomerRows):
    """Whoever was merged has ordered before, so that none of the uses is a first order's any more
    in the way of another.
    """

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        await uow.session.execute(
            update(CouponUse)
            .where(CouponUse.tenant_id == uow.tenant, CouponUse.customer_id == gone_id)
            .values(is_first=False)
        )
        return await super().move(uow, gone_id, kept_id)


class _CouponCounts(CustomerRows):
    """What both have used of one coupon is one number afterwards. It is no thing of its own, and
    the uses are counted as such.
    """

    async def count(self, uow: UnitOfWork, customer_id: UUID) -> int:
        return 0

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        mine = CouponCustomer.tenant_id == uow.tenant
        known = select(CouponCustomer.coupon_id).where(mine, CouponCustomer.customer_id == kept_id)
        doubles = await uow.session.execute(
            delete(CouponCustomer)
            .where(
                mine,
                CouponCustomer.customer_id == gone_id,
                CouponCustomer.coupon_id.in_(known),
            )
            .returning(CouponCustomer.coupon_id, CouponCustomer.used)
        )
        for coupon_id, used in sorted(doubles.tuples()):
            await uow.session.execute(
                update(CouponCustomer)
                .where(
                    mine,
                    CouponCustomer.customer_id == kept_id,
                    CouponCustomer.coupon_id == coupon_id,
                )
                .values(used=CouponCustomer.used + used)
            )
        return await super().move(uow, gone_id, kept_id)


def register_orders_of_customers() -> None:
    """Orders are locked one by one elsewhere, and so before all else by a merge."""
    register_customer_rows(
        CustomerRows(
            table=_ORDERS,
            words=lambda count: ngettext("%(num)s order", "%(num)s orders", count),
            is_contended=True,
            shown=(
                *("id", "reference", "state", "payment_mode", "currency", "total_minor"),
                *("discount_minor", "voucher_minor", "paid_minor", "refunded_minor"),
                *("guest_name", "guest_email", "guest_phone", "locale", "source", "consents"),
                *("created_at", "confirmed_at"),
            ),
            erased=_order_of_nobody,
        )
    )
    register_customer_rows(
        _CouponUses(
            table=cast(Table, CouponUse.__table__),
            words=lambda count: ngettext("%(num)s coupon used", "%(num)s coupons used", count),
            shown=("coupon_id", "order_id", "discount_minor", "created_at", "returned_at"),
            erased=nothing,
        )
    )
    register_customer_rows(
        _CouponCounts(
            table=cast(Table, CouponCustomer.__table__),
            words=lambda count: ngettext("%(num)s coupon count", "%(num)s coupon counts", count),
            shown=("coupon_id", "used"),
            erased=nothing,
        )
    )


def register_credits_of_customers() -> None:
    """The ledger stays; what staff wrote into it of a person does not. Whom the customer does not
    keep any more is named in no lot, and what that opens is said before.
    """
    register_forgetting(forget_person)
    register_following(say_of_only_users)
    register_customer_rows(
        CustomerRows(
            table=cast(Table, CreditLot.__table__),
            words=lambda count: ngettext(
                "%(num)s lot of credits", "%(num)s lots of credits", count
            ),
            shown=(
                *("id", "name", "state", "source", "balance", "bought", "paid_minor", "currency"),
                *("tags", "users", "expires_at", "created_at", "activated_at"),
            ),
            erased=nothing,
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, CreditEntry.__table__),
            whose=_in_lots,
            shown=("lot_id", "kind", "credits", "by", "reason", "at"),
            erased=lambda _person: {"reason": ""},
        )
    )


def _in_lots(person: Person) -> ColumnElement[bool]:
    return CreditEntry.lot_id.in_(lots_of(person))


def lots_of(person: Person) -> Select[tuple[UUID]]:
    """The ids of all credits that were ever theirs."""
    return select(CreditLot.id).where(
        CreditLot.tenant_id == person.tenant_id, CreditLot.customer_id.in_(person.customer_ids)
    )


def register_fees_of_customers() -> None:
    """What was asked stays in the books; why it was let go is about the person."""
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Fee.__table__),
            words=lambda count: ngettext("%(num)s fee", "%(num)s fees", count),
            shown=(
                *("order_id", "kind", "amount_minor", "currency", "state", "what", "starts_at"),
                *("why", "at"),
            ),
            erased=lambda _person: {"why": ""},
        )
    )


def register_money_of_customers() -> None:
    """What hangs on their orders, and the cards that they keep."""
    register_cards_of_customers()
    shown_of: dict[Any, tuple[str, ...]] = {
        OrderLine: ("order_id", "description", "tier", "quantity", "unit_minor", "total_minor"),
        Payment: ("order_id", "amount_minor", "currency", "method", "received_at", "arrived_on"),
        Refund: ("order_id", "amount_minor", "cause", "state", "created_at", "finished_at"),
        DisputeRow: ("order_id", "amount_minor", "currency", "state", "opened_at", "decided_at"),
    }
    for model, shown in shown_of.items():
        register_person_rows(
            PersonRows(table=model.__table__, whose=_in_orders(model), shown=shown, erased=nothing)
        )
    register_person_rows(
        PersonRows(
            table=cast(Table, Instalment.__table__),
            whose=_in_orders(Instalment),
            shown=("order_id", "number", "due_on", "minor", "state", "why", "decided_at"),
            erased=lambda _person: {"why": "", "card_id": None},
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, PaymentPage.__table__),
            whose=_in_orders(PaymentPage),
            shown=(),
            erased=lambda _person: {"body": {}, "url": None, "error": None, "keeps_card": None},
        )
    )
    register_person_rows(
        PersonRows(table=_ITEMS, whose=_in_orders(OpenItem), shown=(), erased=_item_of_nobody)
    )


def orders_of(person: Person) -> Select[tuple[UUID]]:
    """The ids of all that they ever ordered."""
    return select(Order.id).where(
        Order.tenant_id == person.tenant_id, Order.customer_id.in_(person.customer_ids)
    )


def _in_orders(model: Any) -> Any:
    def whose(person: Person) -> ColumnElement[bool]:
        found: ColumnElement[bool] = model.order_id.in_(orders_of(person))
        return found

    return whose


def _order_of_nobody(person: Person) -> Mapping[str, Any]:
    """The terms that were agreed to stay with the order, the wish for news does not."""
    return {
        "guest_name": person.called,
        "guest_email": "",
        "guest_phone": "",
        "consents": _ORDERS.c.consents - "marketing",
        "form_token": func.concat("erased/", as_type(_ORDERS.c.id, String)),
        "fingerprint": "",
        "link_version": _ORDERS.c.link_version + 1,
    }


def _item_of_nobody(person: Person) -> Mapping[str, Any]:
    """Only closed ones are left by then; some name their guest."""
    facts, named = _ITEMS.c.facts, type_coerce({"guest": person.called}, JSONB)
    return {
        "facts": case((facts.has_key("guest"), facts.concat(named)), else_=facts),
        "sentence": "",
    }
