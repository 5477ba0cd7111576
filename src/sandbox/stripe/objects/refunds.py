"""Refunds: part or all of a charge goes back, never more than was paid."""

from src.sandbox.stripe.currencies import in_words
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError, invalid_parameter, missing_parameter
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.objects import application_fees, balance, charges
from src.sandbox.stripe.objects.accounts import merged
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj

KIND = "refund"


def create(work: Work, params: Obj) -> Obj:
    charge = _charge_to_refund(work, params)
    amount_minor = _amount(charge, params)
    back_to_payer = params.get("refund_application_fee") is True
    if back_to_payer and not charge["application_fee"]:
        raise ApiError(
            f"Attempting to refund_application_fee on {charge['id']}, but it has no application "
            "fee",
            param="refund_application_fee",
        )
    refund = _new_refund(work, charge, amount_minor, params)
    return _carry_out(work, charge, refund, back_to_payer)


def retrieve(work: Work, params: Obj, refund_id: str) -> Obj:
    return work.get(KIND, refund_id)


def update(work: Work, params: Obj, refund_id: str) -> Obj:
    refund = work.get(KIND, refund_id)
    refund["metadata"] = merged(refund["metadata"], params.get("metadata") or {})
    work.store.save(refund)
    work.emit("refund.updated", refund)
    return refund


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, KIND, "/v1/refunds", params, ("charge", "payment_intent"))


def settle(work: Work, refund_id: str, status: str) -> Obj:
    """A pending refund arrives, or any refund turns out to have failed; failed ones stay so."""
    refund = work.get(KIND, refund_id)
    if refund["status"] in ("failed", status):
        return refund
    charge = work.get("charge", refund["charge"])
    if status == "failed":
        _undo(work, charge, refund)
    else:
        refund.update(status=status, pending_reason=None)
        work.store.save(refund)
    work.emit("refund.updated", refund)
    work.emit("charge.refund.updated", refund)
    if status == "failed":
        work.emit("refund.failed", refund)
    return refund


def _charge_to_refund(work: Work, params: Obj) -> Obj:
    if "payment_intent" in params:
        intent = work.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise ApiError(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
                code="payment_intent_unexpected_state",
            )
        return work.get("charge", intent["latest_charge"])
    if "charge" not in params:
        raise missing_parameter("payment_intent")
    charge = work.get("charge", params["charge"], "charge")
    if not charge["paid"]:
        raise ApiError(f"Charge {charge['id']} was not paid.", param="charge")
    return charge


def _amount(charge: Obj, params: Obj) -> int:
    left_minor = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"]:
        raise ApiError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left_minor == 0:
        raise ApiError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount_minor: int = params.get("amount", left_minor)
    if amount_minor < 1:
        raise invalid_parameter("amount", "Invalid positive integer", "parameter_invalid_integer")
    if amount_minor > left_minor:
        currency = charge["currency"]
        raise ApiError(
            f"Refund amount ({in_words(amount_minor, currency)}) is greater than unrefunded "
            f"amount on charge ({in_words(left_minor, currency)})",
            param="amount",
        )
    return amount_minor


def _carry_out(work: Work, charge: Obj, refund: Obj, fee_back: bool) -> Obj:
    card = charges.card_of(work, charge)
    status = work.engine.faults.refunds.take()
    late = card is not None and card.refund == "late"
    refund["status"] = "pending" if status == "pending" or late else "succeeded"
    if refund["status"] == "pending":
        refund["pending_reason"] = "processing"
    refund["balance_transaction"] = balance.book(
        work, "refund", refund["id"], -refund["amount"], refund["currency"]
    )
    work.add(refund)
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    work.store.save(charge)
    if fee_back:
        application_fees.give_back_share(work, charge, refund["amount"])
    work.emit("refund.created", refund)
    work.emit("charge.refunded", charge)
    if status == "failed" or (card is not None and card.refund == "fails"):
        return settle(work, refund["id"], "failed")
    return refund


def _undo(work: Work, charge: Obj, refund: Obj) -> None:
    """The money of a failed refund comes back to the account that sent it."""
    refund.update(
        status="failed",
        failure_reason="expired_or_canceled_card",
        pending_reason=None,
        failure_balance_transaction=balance.book(
            work, "refund_failure", refund["id"], refund["amount"], refund["currency"]
        ),
    )
    work.store.save(refund)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    work.store.save(charge)


def _new_refund(work: Work, charge: Obj, amount_minor: int, params: Obj) -> Obj:
    refund: Obj = {
        "id": new_object_id("re"),
        "object": KIND,
        "amount": amount_minor,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "metadata": dict(params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }
    if charge["payment_method_details"]["type"] == "card":
        refund["destination_details"] = {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number",
                     "type": "refund"},
            "type": "card",
        }  # fmt: skip
    return refund
