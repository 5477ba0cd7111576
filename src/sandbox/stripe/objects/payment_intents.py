"""Payment intents, as payment pages and programs make them."""

from src.sandbox.stripe.cards import TestCard
from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.ids import new_object_id, random_text
from src.sandbox.stripe.objects.accounts import APPLICATION
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj

KIND = "payment_intent"

_CANCELABLE = ("requires_payment_method", "requires_action", "requires_confirmation", "processing")


def retrieve(work: Work, params: Obj, intent_id: str) -> Obj:
    return load(work, intent_id)


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, KIND, "/v1/payment_intents", params, ("customer",))


def cancel(work: Work, params: Obj, intent_id: str) -> Obj:
    intent = load(work, intent_id)
    if intent["status"] not in _CANCELABLE:
        raise ApiError(
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"canceled: {', '.join(_CANCELABLE)}.",
            code="payment_intent_unexpected_state",
        )
    session_id = work.store.private(intent_id).get("session")
    if session_id and work.get("checkout.session", session_id)["status"] == "open":
        raise ApiError(
            "You cannot cancel this PaymentIntent because it was created by Checkout. Expire the "
            "Checkout Session instead."
        )
    cancel_now(work, intent, params.get("cancellation_reason"))
    return intent


def cancel_now(work: Work, intent: Obj, reason: str | None) -> None:
    if intent["status"] not in _CANCELABLE:
        return
    intent.update(
        status="canceled", canceled_at=work.now, cancellation_reason=reason, next_action=None
    )
    work.store.save(intent)
    work.emit("payment_intent.canceled", intent)


def load(work: Work, intent_id: str) -> Obj:
    return work.get(KIND, intent_id, "intent")


def create_for(work: Work, session: Obj) -> Obj:
    """The intent of a payment page, made at the first attempt to pay there."""
    data = work.store.private(session["id"])["intent"]
    of_session = {
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
        "payment_method_types": session["payment_method_types"],
    }
    intent = work.add(new_intent(work, data | of_session), {"session": session["id"]})
    session["payment_intent"] = intent["id"]
    work.store.save(session)
    work.emit("payment_intent.created", intent)
    return intent


def fail(work: Work, intent: Obj, error: Obj) -> None:
    """The attempt is over and the next card may be tried."""
    intent.update(
        status="requires_payment_method",
        last_payment_error=error,
        payment_method=None,
        next_action=None,
        processing=None,
    )
    work.store.save(intent)
    work.emit("payment_intent.payment_failed", intent)


def ask_for_authentication(
    work: Work, intent: Obj, method: Obj, url: str, return_url: str | None = None
) -> None:
    redirect = {"return_url": return_url, "url": url}
    intent.update(
        status="requires_action",
        payment_method=method["id"],
        next_action={"type": "redirect_to_url", "redirect_to_url": redirect},
        last_payment_error=None,
    )
    work.store.save(intent)
    work.emit("payment_intent.requires_action", intent)


def wait_for_money(work: Work, intent: Obj, method: Obj) -> None:
    """A slow method was accepted; whether the money comes is known later."""
    intent.update(
        status="processing", payment_method=method["id"], next_action=None, last_payment_error=None
    )
    work.store.save(intent)
    work.emit("payment_intent.processing", intent)


def succeed(work: Work, intent: Obj, charge: Obj) -> None:
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=charge["payment_method"],
        next_action=None,
        last_payment_error=None,
        processing=None,
    )
    work.store.save(intent)
    work.emit("payment_intent.succeeded", intent)


def decline_error(card: TestCard, method: Obj, charge: Obj | None) -> Obj:
    """The `last_payment_error` of a card that did not pay."""
    error = {
        "type": "card_error",
        "code": card.code,
        "decline_code": card.decline_code,
        "message": card.message,
        "payment_method": method,
        "charge": charge["id"] if charge else None,
        "doc_url": f"https://stripe.com/docs/error-codes/{card.code.replace('_', '-')}",
    }
    return {name: value for name, value in error.items() if value is not None}


def new_intent(work: Work, data: Obj) -> Obj:
    """One that waits for a payment method, or for its confirmation where `data` names one."""
    intent_id = new_object_id("pi")
    return {
        "id": intent_id,
        "object": KIND,
        "amount": data["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None if work.account == PLATFORM else APPLICATION,
        "application_fee_amount": data.get("application_fee_amount"),
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{random_text(25)}",
        "confirmation_method": "automatic",
        "created": work.now,
        "currency": data["currency"],
        "customer": data.get("customer"),
        "customer_account": None,
        "description": data.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": dict(data.get("metadata") or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": data.get("payment_method"),
        "payment_method_configuration_details": None,
        "payment_method_options": data.get("payment_method_options") or {},
        "payment_method_types": data["payment_method_types"],
        "processing": None,
        "receipt_email": data.get("receipt_email"),
        "review": None,
        "setup_future_usage": data.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_confirmation"
        if data.get("payment_method")
        else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
