"""Checkout sessions: one hosted page on which one amount can be paid once, until it expires."""

from typing import Any

from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.errors import (
    ApiError,
    beyond_the_sandbox,
    invalid_parameter,
    missing_parameter,
)
from src.sandbox.stripe.ids import new_session_id
from src.sandbox.stripe.methods import offered_methods
from src.sandbox.stripe.objects import (
    accounts,
    customers,
    line_items,
    payment_intents,
    setup_intents,
)
from src.sandbox.stripe.objects.accounts import merged
from src.sandbox.stripe.objects.checks import require_email, require_url
from src.sandbox.stripe.objects.listing import as_list, list_objects
from src.sandbox.stripe.store import Obj

KIND = "checkout.session"

_CARD_OPTIONS: dict[str, Any] = {
    "installments": None,
    "mandate_options": None,
    "network": None,
    "request_three_d_secure": "automatic",
}
_SHORTEST_SECONDS = 30 * 60
_LONGEST_SECONDS = 24 * 60 * 60


def create(work: Work, params: Obj) -> Obj:
    accounts.require_charges(work)
    if params.get("mode", "payment") not in ("payment", "setup"):
        raise beyond_the_sandbox("mode")
    _check_urls(params)
    if params.get("mode") == "setup":
        return _create_setup(work, params)
    expires_at = _expires_at(work, params)
    lines = line_items.build(work, params.get("line_items") or [])
    _check_fee(work, params, line_items.total_minor(lines))
    details = _customer_details(work, params)
    session = _new_session(work, params, lines, expires_at, details)
    intent = dict(params.get("payment_intent_data") or {})
    if options := params.get("payment_method_options"):
        intent["payment_method_options"] = {"card": _CARD_OPTIONS | options["card"]}
    return work.add(session, {"lines": lines, "intent": intent})


def _create_setup(work: Work, params: Obj) -> Obj:
    """A page on which a card is kept and nothing is paid."""
    if params.get("allowed_payment_method_types") != ["card"]:
        raise beyond_the_sandbox("allowed_payment_method_types")
    if "currency" not in params:
        raise missing_parameter("currency")
    expires_at = _expires_at(work, params)
    session = _new_session(work, params, [], expires_at, _customer_details(work, params))
    intent = setup_intents.create(work, session["customer"], params.get("setup_intent_data") or {})
    session.update(setup_intent=intent["id"], payment_status="no_payment_required")
    return work.add(session, {"lines": []})


def retrieve(work: Work, params: Obj, session_id: str) -> Obj:
    return load(work, session_id)


def update(work: Work, params: Obj, session_id: str) -> Obj:
    session = load(work, session_id)
    session["metadata"] = merged(session["metadata"] or {}, params.get("metadata") or {})
    work.store.save(session)
    return session


def list_all(work: Work, params: Obj) -> Obj:
    filters = ("payment_intent", "customer", "status")
    return list_objects(work, KIND, "/v1/checkout/sessions", params, filters)


def list_lines(work: Work, params: Obj, session_id: str) -> Obj:
    load(work, session_id)
    return lines_of(work, session_id)


def lines_of(work: Work, session_id: str) -> Obj:
    lines = work.store.private(session_id)["lines"]
    return as_list(lines, f"/v1/checkout/sessions/{session_id}/line_items")


def expire(work: Work, params: Obj, session_id: str) -> Obj:
    """Ends an open session for good: from here on nobody can pay it."""
    session = load(work, session_id)
    if session["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`."
        )
    end(work, session)
    return session


def end(work: Work, session: Obj) -> None:
    """The session turns `expired`, and what was tried on it is cancelled with it."""
    session.update(status="expired", url=None)
    work.store.save(session)
    if session["payment_intent"]:
        intent = work.get("payment_intent", session["payment_intent"])
        payment_intents.cancel_now(work, intent, "expired")
    if session["setup_intent"]:
        setup_intents.cancel_now(work, work.get(setup_intents.KIND, session["setup_intent"]))
    work.emit("checkout.session.expired", session)


def load(work: Work, session_id: str) -> Obj:
    return work.get(KIND, session_id, "session")


def _check_urls(params: Obj) -> None:
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params:
            require_url(name, params[name])


def _expires_at(work: Work, params: Obj) -> int:
    expires_at: int = params.get("expires_at", work.now + _LONGEST_SECONDS)
    if expires_at > work.now + _LONGEST_SECONDS:
        raise invalid_parameter(
            "expires_at",
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        )
    if expires_at < work.now + _SHORTEST_SECONDS:
        raise invalid_parameter(
            "expires_at",
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
        )
    return expires_at


def _check_fee(work: Work, params: Obj, total_minor: int) -> None:
    fee_minor = (params.get("payment_intent_data") or {}).get("application_fee_amount")
    if fee_minor is None:
        return
    param = "payment_intent_data[application_fee_amount]"
    if work.account == PLATFORM:
        raise ApiError(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a "
            "direct payment (using an OAuth key or Stripe-Account header) or destination payment "
            "(using `transfer_data[destination]`).",
            param=param,
        )
    if not 0 <= fee_minor <= total_minor:
        raise ApiError(
            f"The application fee amount ({fee_minor}) must be between 0 and the total amount "
            f"({total_minor}).",
            param=param,
        )


def _customer_details(work: Work, params: Obj) -> Obj | None:
    if "customer" in params and "customer_email" in params:
        raise ApiError("You may only specify one of these parameters: customer, customer_email.")
    if "customer" in params:
        customer = customers.require(work, params["customer"])
        return details(customer["email"], customer["name"])
    if "customer_email" in params:
        require_email("customer_email", params["customer_email"])
        return details(params["customer_email"], None)
    return None


def details(email: str | None, name: str | None) -> Obj:
    """The `customer_details` of a session."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def _new_session(
    work: Work, params: Obj, lines: list[Obj], expires_at: int, customer_details: Obj | None
) -> Obj:
    session_id = new_session_id()
    mode = params.get("mode", "payment")
    currency = lines[0]["currency"] if lines else params["currency"].lower()
    total_minor = line_items.total_minor(lines) if lines else None
    allowed = params.get("allowed_payment_method_types")
    return {
        **_UNUSED,
        "id": session_id,
        "object": KIND,
        "allowed_payment_method_types": allowed,
        "amount_subtotal": total_minor,
        "amount_total": total_minor,
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": work.now,
        "currency": currency,
        "custom_text": _custom_text(params),
        "customer": params.get("customer"),
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": customer_details,
        "customer_email": params.get("customer_email"),
        "expires_at": expires_at,
        "locale": params.get("locale"),
        "metadata": dict(params.get("metadata") or {}),
        "mode": mode,
        "payment_method_types": offered_methods(currency, allowed),
        "status": "open",
        "submit_type": params.get("submit_type"),
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
        if lines
        else None,
        "url": f"{work.cause.base_url}/c/pay/{session_id}",
    }


def _custom_text(params: Obj) -> Obj:
    given = params.get("custom_text") or {}
    names = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    return {name: given.get(name) or None for name in names}


_UNUSED: dict[str, Any] = {
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "customer_account": None,
    "discounts": [],
    "invoice": None,
    "invoice_creation": None,
    "livemode": False,
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_collection": "if_required",
    "payment_method_configuration_details": None,
    "payment_method_options": {},
    "payment_status": "unpaid",
    "permissions": None,
    "phone_number_collection": {"enabled": False},
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "subscription": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}
