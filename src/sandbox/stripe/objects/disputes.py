"""Disputes: a payer's bank takes a payment back, until it is decided who is right."""

from typing import Literal

from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.objects import balance
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj

KIND = "dispute"

_ANSWER_WITHIN_SECONDS = 7 * 24 * 60 * 60
_EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def retrieve(work: Work, params: Obj, dispute_id: str) -> Obj:
    return work.get(KIND, dispute_id)


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, KIND, "/v1/disputes", params, ("charge", "payment_intent"))


def open_on(work: Work, charge: Obj, reason: str) -> Obj:
    """The bank asks the money back: it is withdrawn at once, with a fee."""
    if charge["disputed"] or not charge["paid"]:
        raise ApiError(f"Charge {charge['id']} cannot be disputed.", param="charge")
    dispute = _new_dispute(work, charge, reason)
    _book(work, dispute, -dispute["amount"], balance.dispute_fee(dispute["currency"]))
    work.add(dispute)
    charge["disputed"] = True
    work.store.save(charge)
    work.emit("charge.dispute.created", dispute)
    work.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(work: Work, dispute_id: str, outcome: Literal["won", "lost"]) -> Obj:
    dispute = work.get(KIND, dispute_id)
    if dispute["status"] in ("won", "lost"):
        return dispute
    dispute["status"] = outcome
    if outcome == "won":
        _book(work, dispute, dispute["amount"], [])
    work.store.save(dispute)
    work.emit("charge.dispute.closed", dispute)
    if outcome == "won":
        work.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def _book(work: Work, dispute: Obj, amount_minor: int, fees: list[Obj]) -> None:
    moved = balance.book(work, "adjustment", dispute["id"], amount_minor, dispute["currency"], fees)
    dispute["balance_transactions"].append(work.get(balance.KIND, moved))


def _new_dispute(work: Work, charge: Obj, reason: str) -> Obj:
    return {
        "id": new_object_id("du"),
        "object": KIND,
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": work.now + _ANSWER_WITHIN_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }
