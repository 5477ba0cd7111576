"""What happens on the page that keeps a card: it is kept, refused, or asks for authentication."""

from src.sandbox.stripe.cards import TestCard
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.objects import customers, payment_intents, payment_methods, setup_intents
from src.sandbox.stripe.payments import Attempt
from src.sandbox.stripe.store import Obj

_AUTHENTICATION_FAILURE = {
    "type": "invalid_request_error",
    "code": "setup_intent_authentication_failure",
    "message": "The latest attempt to set up the payment method has failed because "
    "authentication failed.",
}


def keep_card(work: Work, session: Obj, card: TestCard) -> Attempt:
    """One press of the button. A session that is not open any more keeps nothing."""
    if session["status"] != "open":
        return Attempt("not_open")
    intent = work.get(setup_intents.KIND, session["setup_intent"])
    details = session["customer_details"] or {}
    method = payment_methods.create_card(work, card, details.get("email"), details.get("name"))
    if card.outcome == "declined" and not card.kept:
        error = payment_intents.decline_error(card, method, None)
        setup_intents.fail(work, intent, error)
        return Attempt("declined", card.message)
    if card.outcome == "needs_3ds":
        url = f"{work.cause.base_url}/c/authenticate/{intent['id']}"
        setup_intents.ask_for_authentication(work, intent, method, url)
        work.store.save_private(intent["id"], {"session": session["id"]})
        return Attempt("needs_3ds")
    _keep(work, session, intent, method)
    return Attempt("paid")


def authenticate(work: Work, intent: Obj, *, approved: bool) -> Obj:
    """The guest's answer to their bank. Returns the session that it is about."""
    session: Obj = work.get(
        "checkout.session", work.store.private(intent["id"])["session"], "session"
    )
    if session["status"] != "open" or intent["status"] != "requires_action":
        return session
    method = work.get(payment_methods.KIND, intent["payment_method"])
    if approved:
        _keep(work, session, intent, method)
    else:
        setup_intents.fail(work, intent, _AUTHENTICATION_FAILURE)
    return session


def _keep(work: Work, session: Obj, intent: Obj, method: Obj) -> None:
    if not session["customer"]:
        details = session["customer_details"] or {}
        session["customer"] = customers.create(work, {"email": details.get("email")})["id"]
        intent["customer"] = session["customer"]
    payment_methods.attach(work, method, session["customer"])
    setup_intents.succeed(work, intent, method)
    session.update(status="complete", url=None)
    work.store.save(session)
    work.emit("checkout.session.completed", session)
