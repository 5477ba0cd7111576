"""Customers of one account."""

from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import no_such
from src.sandbox.stripe.ids import new_object_id, random_text
from src.sandbox.stripe.objects import payment_methods
from src.sandbox.stripe.objects.accounts import merged
from src.sandbox.stripe.objects.checks import require_email
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj

_PLAIN = ("email", "name", "phone", "description", "preferred_locales")


def create(work: Work, params: Obj) -> Obj:
    if params.get("email"):
        require_email("email", params["email"])
    customer = work.add(_new_customer(work, params))
    work.emit("customer.created", customer)
    return customer


def retrieve(work: Work, params: Obj, customer_id: str) -> Obj:
    return work.get("customer", customer_id)


def update(work: Work, params: Obj, customer_id: str) -> Obj:
    customer = work.get("customer", customer_id)
    changed = {name: params[name] or None for name in _PLAIN if name in params}
    if "metadata" in params:
        changed["metadata"] = merged(customer["metadata"], params["metadata"] or {})
    previous = {name: customer[name] for name in changed}
    customer.update(changed)
    work.store.save(customer)
    work.emit("customer.updated", customer, previous)
    return customer


def delete(work: Work, params: Obj, customer_id: str) -> Obj:
    customer = work.get("customer", customer_id)
    for method in work.store.every(work.account, payment_methods.KIND, {"customer": customer_id}):
        payment_methods.detach_now(work, method)
    work.store.delete(customer_id)
    work.emit("customer.deleted", customer)
    return {"id": customer_id, "object": "customer", "deleted": True}


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, "customer", "/v1/customers", params, ("email",))


def require(work: Work, customer_id: str) -> Obj:
    """The customer that another call names; its absence is that call's error."""
    customer = work.store.get(work.account, "customer", customer_id)
    if customer is None:
        error = no_such("customer", customer_id, "customer")
        error.status = 400
        raise error
    return customer


def _new_customer(work: Work, params: Obj) -> Obj:
    return {
        "id": new_object_id("cus")[:18],
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": work.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "discount": None,
        "email": params.get("email"),
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": dict(params.get("metadata") or {}),
        "name": params.get("name"),
        "next_invoice_sequence": 1,
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales") or [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
