"""Charges: the money of one successful or failed attempt to pay."""

from collections.abc import Callable

from src.sandbox.stripe.cards import TestCard, find_card
from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.methods import INSTANT_METHODS, SLOW_METHODS
from src.sandbox.stripe.objects import application_fees, balance, payment_methods
from src.sandbox.stripe.objects.accounts import APPLICATION, display_name
from src.sandbox.stripe.objects.listing import as_list, list_objects
from src.sandbox.stripe.store import Obj

KIND = "charge"


def retrieve(work: Work, params: Obj, charge_id: str) -> Obj:
    return work.get(KIND, charge_id, "charge")


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, KIND, "/v1/charges", params, ("payment_intent", "customer"))


def refunds_of(work: Work, charge_id: str) -> Obj:
    found = work.store.every(work.account, "refund", {"charge": charge_id})
    return as_list(found[::-1], f"/v1/charges/{charge_id}/refunds")


def succeed(work: Work, intent: Obj, method: Obj) -> Obj:
    """Takes the money: the charge, its balance transaction and the platform's fee."""
    charge = _new_charge(work, intent, method)
    fee_minor = intent["application_fee_amount"] or 0
    if fee_minor:
        charge["application_fee"] = application_fees.take(work, charge, fee_minor)
    charge["balance_transaction"] = balance.book_charge(work, charge, fee_minor)
    work.add(charge)
    work.emit("charge.succeeded", charge)
    return charge


def fail(work: Work, intent: Obj, method: Obj, card: TestCard) -> Obj:
    charge = _new_charge(work, intent, method)
    charge.update(
        amount_captured=0,
        captured=False,
        paid=False,
        status="failed",
        failure_code=card.code,
        failure_message=card.message,
        outcome={
            "advice_code": "try_again_later",
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "declined_by_network",
            "reason": card.decline_code or card.code,
            "risk_level": "normal",
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
    )
    work.add(charge)
    work.emit("charge.failed", charge)
    return charge


def card_of(work: Work, charge: Obj) -> TestCard | None:
    """The test card that was charged; nothing for a bank debit."""
    number = work.store.private(charge["payment_method"]).get("number", "")
    return find_card(number)


def _new_charge(work: Work, intent: Obj, method: Obj) -> Obj:
    return {
        "id": new_object_id("ch"),
        "object": KIND,
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "application": None if work.account == PLATFORM else APPLICATION,
        "application_fee": None,
        "application_fee_amount": intent["application_fee_amount"],
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": _descriptor(display_name(work)),
        "captured": True,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _method_details(work, method),
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def _descriptor(name: str) -> str:
    return name.upper()[:22]


def _method_details(work: Work, method: Obj) -> Obj:
    kind = method["type"]
    if kind == "card":
        card = find_card(work.store.private(method["id"])["number"])
        assert card is not None, "a card method is only made from a test card"
        return {"type": "card", "card": _card_details(card)}
    if kind in INSTANT_METHODS:
        return {"type": kind, kind: dict(INSTANT_METHODS[kind].charged)}
    details = payment_methods.bank_details(SLOW_METHODS[kind])
    return {"type": kind, kind: _CHARGE_FIELDS[kind](details)}


def _card_details(card: TestCard) -> Obj:
    secured = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    return payment_methods.card_details(card) | {
        "installments": None,
        "mandate": None,
        "network": card.brand,
        "network_token": {"used": False},
        "three_d_secure": secured if card.outcome == "needs_3ds" else None,
    }


_CHARGE_FIELDS: dict[str, Callable[[Obj], Obj]] = {
    "sepa_debit": lambda bank: {
        **{name: value for name, value in bank.items() if name != "generated_from"},
        "mandate": None,
    },
    "bacs_debit": lambda bank: bank | {"mandate": None},
    "us_bank_account": lambda bank: {
        **{
            name: value
            for name, value in bank.items()
            if name not in ("financial_connections_account", "networks", "status_details")
        },
        "mandate": None,
        "payment_reference": None,
    },
}
