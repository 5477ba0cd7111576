"""Setup intents: a card is kept for a customer, and nothing is paid."""

from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.ids import new_object_id, random_text
from src.sandbox.stripe.objects.accounts import APPLICATION
from src.sandbox.stripe.store import Obj

KIND = "setup_intent"


def retrieve(work: Work, params: Obj, intent_id: str) -> Obj:
    return work.get(KIND, intent_id, "intent", "setupintent")


def create(work: Work, customer_id: str | None, data: Obj) -> Obj:
    intent = work.add(_new_intent(work, customer_id, data))
    work.emit("setup_intent.created", intent)
    return intent


def ask_for_authentication(work: Work, intent: Obj, method: Obj, url: str) -> None:
    redirect = {"return_url": None, "url": url}
    intent.update(
        status="requires_action",
        payment_method=method["id"],
        next_action={"type": "redirect_to_url", "redirect_to_url": redirect},
        last_setup_error=None,
    )
    work.store.save(intent)
    work.emit("setup_intent.requires_action", intent)


def succeed(work: Work, intent: Obj, method: Obj) -> None:
    intent.update(
        status="succeeded", payment_method=method["id"], next_action=None, last_setup_error=None
    )
    work.store.save(intent)
    work.emit("setup_intent.succeeded", intent)


def fail(work: Work, intent: Obj, error: Obj) -> None:
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error=error,
    )
    work.store.save(intent)
    work.emit("setup_intent.setup_failed", intent)


def cancel_now(work: Work, intent: Obj) -> None:
    if intent["status"] in ("succeeded", "canceled"):
        return
    intent.update(status="canceled", cancellation_reason="abandoned", next_action=None)
    work.store.save(intent)
    work.emit("setup_intent.canceled", intent)


def _new_intent(work: Work, customer_id: str | None, data: Obj) -> Obj:
    intent_id = new_object_id("seti")
    return {
        "id": intent_id,
        "object": KIND,
        "application": None if work.account == PLATFORM else APPLICATION,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{intent_id}_secret_{random_text(25)}",
        "created": work.now,
        "customer": customer_id,
        "customer_account": None,
        "description": data.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": dict(data.get("metadata") or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "on_session",
    }
