"""What was paid with: a card or a bank account, kept as an object."""

import hashlib

from src.sandbox.stripe.cards import TestCard
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.ids import new_object_id, random_text
from src.sandbox.stripe.methods import InstantMethod, SlowMethod
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj

KIND = "payment_method"

_CHECKS = {
    "address_line1_check": None,
    "address_postal_code_check": None,
    "cvc_check": "pass",
}


def retrieve(work: Work, params: Obj, method_id: str) -> Obj:
    return work.get(KIND, method_id, "payment_method")


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, KIND, "/v1/payment_methods", params, ("customer", "type"))


def create_card(work: Work, card: TestCard, email: str | None, name: str | None) -> Obj:
    method = _base(work, "card", email, name)
    method["card"] = card_details(card) | {
        "display_brand": card.brand,
        "generated_from": None,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
    }
    return work.add(method, {"number": card.number})


def create_slow(work: Work, slow: SlowMethod, email: str | None, name: str | None) -> Obj:
    method = _base(work, slow.type, email, name)
    method[slow.type] = bank_details(slow)
    return work.add(method, {})


def create_instant(work: Work, instant: InstantMethod, email: str | None, name: str | None) -> Obj:
    method = _base(work, instant.type, email, name)
    method[instant.type] = dict(instant.kept)
    return work.add(method, {})


def attach(work: Work, method: Obj, customer_id: str) -> None:
    method["customer"] = customer_id
    work.store.save(method)
    work.emit("payment_method.attached", method)


def detach(work: Work, params: Obj, method_id: str) -> Obj:
    """From its customer: nothing can be paid with it any more, by anybody."""
    method = retrieve(work, params, method_id)
    if method["customer"] is None:
        raise ApiError(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    detach_now(work, method)
    return method


def detach_now(work: Work, method: Obj) -> None:
    before = {"customer": method["customer"]}
    method["customer"] = None
    work.store.save(method)
    work.emit("payment_method.detached", method, before)


def expire_now(work: Work, method: Obj) -> None:
    """The card's time is over: its bank declines it from here on."""
    method["card"] |= {"exp_month": 1, "exp_year": 2020}
    work.store.save(method)
    kept = work.store.private(method["id"])
    work.store.save_private(method["id"], kept | {"number": EXPIRED_NUMBER})
    work.emit("payment_method.automatically_updated", method)


EXPIRED_NUMBER = "4000000000000069"


def card_details(card: TestCard) -> Obj:
    """The fields that a method's card and a charge's card have in common."""
    return {
        "brand": card.brand,
        "checks": _CHECKS,
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": _fingerprint(card.number),
        "funding": "credit",
        "last4": card.last4,
        "regulated_status": "unregulated",
        "wallet": None,
    }


def _fingerprint(number: str) -> str:
    """The same for the same number, whoever types it."""
    return hashlib.sha256(number.encode()).hexdigest()[:16]


def bank_details(slow: SlowMethod) -> Obj:
    last4 = slow.account[-4:]
    if slow.type == "sepa_debit":
        return {
            "bank_code": "37040044",
            "branch_code": "",
            "country": "DE",
            "fingerprint": random_text(16),
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": last4,
        }
    if slow.type == "bacs_debit":
        return {"fingerprint": random_text(16), "last4": last4, "sort_code": "108800"}
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": random_text(16),
        "last4": last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }


def billing_details(email: str | None, name: str | None) -> Obj:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {
        "address": dict.fromkeys(names),
        "email": email,
        "name": name,
        "phone": None,
        "tax_id": None,
    }


def _base(work: Work, kind: str, email: str | None, name: str | None) -> Obj:
    return {
        "id": new_object_id("pm"),
        "object": KIND,
        "allow_redisplay": "limited",
        "billing_details": billing_details(email, name),
        "created": work.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
