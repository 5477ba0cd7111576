"""What happens on the payment page: a card pays, is declined, or asks for authentication."""

from dataclasses import dataclass
from typing import Literal

from src.sandbox.stripe.cards import TestCard
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.methods import INSTANT_METHODS, SLOW_METHODS
from src.sandbox.stripe.objects import (
    charges,
    checkout_sessions,
    customers,
    disputes,
    payment_intents,
    payment_methods,
)
from src.sandbox.stripe.store import Obj

_SLOW_FAILURE = {
    "type": "invalid_request_error",
    "code": "payment_intent_payment_attempt_failed",
    "message": "The customer's bank account could not be debited.",
}
_AUTHENTICATION_FAILURE = {
    "type": "card_error",
    "code": "payment_intent_authentication_failure",
    "message": "The provided PaymentMethod has failed authentication. You can provide "
    "payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
}


@dataclass(frozen=True)
class Payer:
    """What the guest typed on the page."""

    email: str | None
    name: str | None = None


@dataclass(frozen=True)
class Attempt:
    """How an attempt to pay ended; `message` is for the person who tried."""

    outcome: Literal["paid", "declined", "needs_3ds", "waiting", "not_open"]
    message: str = ""


def pay_by_card(work: Work, session: Obj, card: TestCard, payer: Payer) -> Attempt:
    """One press of the pay button. A session that is not open any more takes no money."""
    if session["status"] != "open":
        return Attempt("not_open")
    intent = _intent(work, session)
    method = payment_methods.create_card(work, card, payer.email, payer.name)
    if card.outcome == "needs_3ds":
        url = f"{work.cause.base_url}/c/pay/{session['id']}/authenticate"
        _remember_payer(work, session, payer)
        payment_intents.ask_for_authentication(work, intent, method, url)
        return Attempt("needs_3ds")
    if card.outcome == "declined":
        charge = charges.fail(work, intent, method, card)
        intent["latest_charge"] = charge["id"]
        payment_intents.fail(work, intent, payment_intents.decline_error(card, method, charge))
        return Attempt("declined", card.message)
    _take_money(work, session, intent, method, payer)
    if card.disputed:
        charge = work.get("charge", intent["latest_charge"])
        disputes.open_on(work, charge, "fraudulent")
    return Attempt("paid")


def authenticate(work: Work, session: Obj, *, approved: bool) -> Attempt:
    """The guest's answer on the 3-D Secure page; only a pending question can be answered."""
    if session["status"] != "open" or not session["payment_intent"]:
        return Attempt("not_open")
    intent = payment_intents.load(work, session["payment_intent"])
    if intent["status"] != "requires_action":
        return Attempt("declined", "There is nothing to authenticate. Try to pay again.")
    method = work.get(payment_methods.KIND, intent["payment_method"])
    if not approved:
        payment_intents.fail(work, intent, _AUTHENTICATION_FAILURE | {"payment_method": method})
        return Attempt(
            "declined", "We are unable to authenticate your payment method. Try another one."
        )
    remembered = work.store.private(session["id"])["payer"]
    _take_money(work, session, intent, method, Payer(**remembered))
    return Attempt("paid")


def pay_otherwise(work: Work, session: Obj, kind: str, payer: Payer) -> Attempt:
    """By a wallet or a bank's own way, decided at once, or by a slow method."""
    if kind not in INSTANT_METHODS:
        return pay_slowly(work, session, kind, payer)
    if session["status"] != "open":
        return Attempt("not_open")
    if kind not in session["payment_method_types"]:
        raise ApiError(f"The payment page does not offer {kind}.", param="method")
    instant = INSTANT_METHODS[kind]
    method = payment_methods.create_instant(work, instant, payer.email, payer.name)
    _take_money(work, session, _intent(work, session), method, payer)
    return Attempt("paid")


def pay_slowly(work: Work, session: Obj, kind: str, payer: Payer) -> Attempt:
    """The session is complete and unpaid until `settle_slow` says how it ended."""
    if session["status"] != "open":
        return Attempt("not_open")
    if kind not in session["payment_method_types"]:
        raise ApiError(f"The payment page does not offer {kind}.", param="method")
    intent = _intent(work, session)
    method = payment_methods.create_slow(work, SLOW_METHODS[kind], payer.email, payer.name)
    payment_intents.wait_for_money(work, intent, method)
    _complete(work, session, payer, paid=False)
    work.emit("checkout.session.completed", session)
    return Attempt("waiting")


def settle_slow(work: Work, session: Obj, *, succeeded: bool) -> Obj:
    """The bank's answer to a slow payment; a settled one stays as it is."""
    intent = payment_intents.load(work, session["payment_intent"] or "")
    if intent["status"] != "processing":
        return session
    method = work.get(payment_methods.KIND, intent["payment_method"])
    if succeeded:
        charge = charges.succeed(work, intent, method)
        payment_intents.succeed(work, intent, charge)
        session["payment_status"] = "paid"
        work.store.save(session)
        work.emit("checkout.session.async_payment_succeeded", session)
    else:
        payment_intents.fail(work, intent, _SLOW_FAILURE | {"payment_method": method})
        work.emit("checkout.session.async_payment_failed", session)
    return session


def _intent(work: Work, session: Obj) -> Obj:
    if session["payment_intent"]:
        return payment_intents.load(work, session["payment_intent"])
    return payment_intents.create_for(work, session)


def _take_money(work: Work, session: Obj, intent: Obj, method: Obj, payer: Payer) -> None:
    _complete(work, session, payer, paid=True)
    if session["customer"] and intent["customer"] is None:
        intent["customer"] = session["customer"]
    charge = charges.succeed(work, intent, method)
    payment_intents.succeed(work, intent, charge)
    if session["customer"] and _is_kept(intent, method):
        payment_methods.attach(work, method, session["customer"])
    work.emit("checkout.session.completed", session)


def _is_kept(intent: Obj, method: Obj) -> bool:
    own = intent["payment_method_options"].get(method["type"], {})
    return bool(intent["setup_future_usage"] or own.get("setup_future_usage"))


def _complete(work: Work, session: Obj, payer: Payer, *, paid: bool) -> None:
    if session["customer_creation"] == "always" and not session["customer"]:
        given = {"email": payer.email, "name": payer.name}
        session["customer"] = customers.create(work, given)["id"]
    session.update(
        status="complete",
        payment_status="paid" if paid else "unpaid",
        url=None,
        customer_details=checkout_sessions.details(payer.email, payer.name),
    )
    work.store.save(session)


def _remember_payer(work: Work, session: Obj, payer: Payer) -> None:
    private = work.store.private(session["id"])
    private["payer"] = {"email": payer.email, "name": payer.name}
    work.store.save_private(session["id"], private)
