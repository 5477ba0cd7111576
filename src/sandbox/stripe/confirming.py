"""Paying with a card that was kept: an intent of its own, confirmed by the business's program."""

from dataclasses import replace

from src.sandbox.stripe.cards import TestCard, find_card
from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.errors import ApiError, missing_parameter, no_such
from src.sandbox.stripe.objects import (
    accounts,
    charges,
    customers,
    disputes,
    payment_intents,
    payment_methods,
)
from src.sandbox.stripe.objects.checks import require_url
from src.sandbox.stripe.store import Obj

_CONFIRMED = ("succeeded", "processing", "canceled")
_AUTHENTICATION_FAILURE = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "message": "The provided PaymentMethod has failed authentication. You can provide "
    "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
}


def create(work: Work, params: Obj) -> Obj | ApiError:
    accounts.require_charges(work)
    for name in ("amount", "currency"):
        if name not in params:
            raise missing_parameter(name)
    if "customer" in params:
        customers.require(work, params["customer"])
    if "payment_method" in params:
        _usable(work, params["payment_method"], params.get("customer"))
    _check_fee(work, params)
    if "return_url" in params and not params.get("confirm"):
        raise ApiError(
            "You cannot set `return_url` when `confirm` is not `true`.", param="return_url"
        )
    types = params.get("allowed_payment_method_types") or ["card"]
    data = {**params, "payment_method_types": types, "currency": params["currency"].lower()}
    intent = work.add(payment_intents.new_intent(work, data), {})
    work.emit("payment_intent.created", intent)
    return confirm(work, params, intent["id"]) if params.get("confirm") else intent


def confirm(work: Work, params: Obj, intent_id: str) -> Obj | ApiError:
    """Takes the money, or asks for the guest's bank first, or tells why the card did not pay."""
    intent = payment_intents.load(work, intent_id)
    if intent["status"] in _CONFIRMED:
        raise ApiError(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    method_id = params.get("payment_method") or intent["payment_method"]
    if method_id is None:
        raise ApiError(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = _usable(work, method_id, intent["customer"])
    return_url = params.get("return_url")
    if return_url is not None:
        require_url("return_url", return_url)
    card = _card(work, method)
    if card.outcome == "needs_3ds" and params.get("off_session"):
        return (
            _take(work, intent, method, card)
            if card.kept == "pays"
            else _absent(work, intent, method, card)
        )
    if card.outcome == "needs_3ds":
        url = f"{work.cause.base_url}/c/authenticate/{intent_id}"
        payment_intents.ask_for_authentication(work, intent, method, url, return_url)
        work.store.save_private(intent_id, {"return_url": return_url})
        return intent
    if card.outcome == "declined":
        return _decline(work, intent, method, card)
    return _take(work, intent, method, card)


def authenticate(work: Work, intent: Obj, *, approved: bool) -> Obj:
    """The guest's answer to their bank; only a question that waits can be answered."""
    if intent["status"] != "requires_action":
        return intent
    method = work.get(payment_methods.KIND, intent["payment_method"])
    if not approved:
        payment_intents.fail(work, intent, _AUTHENTICATION_FAILURE | {"payment_method": method})
        return intent
    return _take(work, intent, method, _card(work, method))


def way_back(work: Work, intent: Obj) -> str:
    """Where the guest goes from their bank, with what the processor adds to the address."""
    return_url: str = work.store.private(intent["id"]).get("return_url") or ""
    status = "succeeded" if intent["status"] == "succeeded" else "failed"
    joint = "&" if "?" in return_url else "?"
    secret = intent["client_secret"]
    told = f"payment_intent={intent['id']}&payment_intent_client_secret={secret}"
    return f"{return_url}{joint}{told}&redirect_status={status}"


def _take(work: Work, intent: Obj, method: Obj, card: TestCard) -> Obj:
    charge = charges.succeed(work, intent, method)
    payment_intents.succeed(work, intent, charge)
    if card.disputed:
        disputes.open_on(work, charge, "fraudulent")
    return intent


def _decline(work: Work, intent: Obj, method: Obj, card: TestCard) -> ApiError:
    charge = charges.fail(work, intent, method, card)
    intent["latest_charge"] = charge["id"]
    payment_intents.fail(work, intent, payment_intents.decline_error(card, method, charge))
    return ApiError(
        card.message,
        status=402,
        kind="card_error",
        code=card.code,
        decline_code=card.decline_code,
        about={"charge": charge["id"], "payment_method": method, "payment_intent": intent},
    )


def _absent(work: Work, intent: Obj, method: Obj, card: TestCard) -> ApiError:
    """Its bank would ask a guest who is not there."""
    told = replace(
        card,
        code="authentication_required",
        decline_code="authentication_required",
        message="The bank returned the decline code `authentication_required`.",
    )
    return _decline(work, intent, method, told)


def _card(work: Work, method: Obj) -> TestCard:
    card = find_card(work.store.private(method["id"])["number"])
    assert card is not None, "a card method is only made from a test card"
    return card


def _usable(work: Work, method_id: str, customer_id: str | None) -> Obj:
    """The method, for its own customer. One that was taken off is of no use to anybody."""
    method = work.store.get(work.account, payment_methods.KIND, method_id)
    if method is None:
        error = no_such("PaymentMethod", method_id, "payment_method")
        error.status = 400
        raise error
    if method["customer"] is None:
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first.",
            param="payment_method",
        )
    if method["customer"] != customer_id:
        raise ApiError(
            f"The customer does not have a payment method with the ID {method_id}. The payment "
            "method must be attached to the customer.",
            code="payment_method_unexpected_state",
            param="payment_method",
        )
    return method


def _check_fee(work: Work, params: Obj) -> None:
    fee_minor = params.get("application_fee_amount")
    if fee_minor is None:
        return
    if work.account == PLATFORM or not 0 < fee_minor <= params["amount"]:
        raise ApiError(
            f"The application fee amount ({fee_minor}) must be between 0 and the amount "
            f"({params['amount']}), and be of a direct payment.",
            param="application_fee_amount",
        )
