"""Products and prices, as objects of their own and as written out in a payment page's lines."""

from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError, invalid_parameter, missing_parameter, no_such
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.objects.accounts import merged
from src.sandbox.stripe.objects.checks import require_currency
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj


def create_product(work: Work, params: Obj) -> Obj:
    product = work.add(_new_product(work, params, active=True))
    work.emit("product.created", product)
    return product


def retrieve_product(work: Work, params: Obj, product_id: str) -> Obj:
    return work.get("product", product_id)


def update_product(work: Work, params: Obj, product_id: str) -> Obj:
    product = work.get("product", product_id)
    names = ("name", "description", "active")
    product.update({name: params[name] for name in names if name in params}, updated=work.now)
    if "metadata" in params:
        product["metadata"] = merged(product["metadata"], params["metadata"] or {})
    work.store.save(product)
    work.emit("product.updated", product, {})
    return product


def list_products(work: Work, params: Obj) -> Obj:
    return list_objects(work, "product", "/v1/products", params, ("active",))


def create_price(work: Work, params: Obj) -> Obj:
    price = work.add(price_of(work, params, "", active=True))
    work.emit("price.created", price)
    return price


def retrieve_price(work: Work, params: Obj, price_id: str) -> Obj:
    return work.get("price", price_id)


def list_prices(work: Work, params: Obj) -> Obj:
    return list_objects(work, "price", "/v1/prices", params, ("active", "product", "currency"))


def price_of(work: Work, data: Obj, param: str, *, active: bool) -> Obj:
    """A one-time price from `price_data`; `param` is where it stands, for the error's sake."""
    prefix = f"{param}[{{}}]" if param else "{}"
    require_currency(prefix.format("currency"), data["currency"])
    if "unit_amount" not in data:
        raise missing_parameter(prefix.format("unit_amount"))
    if data["unit_amount"] < 0:
        raise invalid_parameter(prefix.format("unit_amount"), "Invalid non-negative integer")
    return {
        "id": new_object_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": work.now,
        "currency": data["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": dict(data.get("metadata") or {}),
        "nickname": data.get("nickname"),
        "product": _product_id(work, data, prefix.format("product")),
        "recurring": None,
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": data["unit_amount"],
        "unit_amount_decimal": str(data["unit_amount"]),
    }


def existing_price(work: Work, price_id: str, param: str) -> Obj:
    price = work.store.get(work.account, "price", price_id)
    if price is None:
        error = no_such("price", price_id, param)
        error.status = 400
        raise error
    if not price["active"]:
        raise ApiError("The price specified is inactive.", param=param)
    return price


def _product_id(work: Work, data: Obj, param: str) -> str:
    if data.get("product"):
        if work.store.get(work.account, "product", data["product"]) is None:
            raise no_such("product", data["product"], param)
        return str(data["product"])
    if not data.get("product_data"):
        raise missing_parameter(param)
    return str(work.add(_new_product(work, data["product_data"], active=False))["id"])


def _new_product(work: Work, data: Obj, *, active: bool) -> Obj:
    return {
        "id": new_object_id("prod")[:19],
        "object": "product",
        "active": data.get("active", active),
        "created": work.now,
        "default_price": None,
        "description": data.get("description"),
        "images": data.get("images") or [],
        "livemode": False,
        "marketing_features": [],
        "metadata": dict(data.get("metadata") or {}),
        "name": data["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": work.now,
        "url": None,
    }
