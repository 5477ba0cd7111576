"""The lines of a payment page, priced and added up."""

from src.sandbox.stripe.currencies import in_words, minimum_minor
from src.sandbox.stripe.engine import Work
from src.sandbox.stripe.errors import ApiError, invalid_parameter, missing_parameter
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.objects import catalog
from src.sandbox.stripe.store import Obj

_MOST_LINES = 100


def build(work: Work, given: list[Obj]) -> list[Obj]:
    """The lines as the API shows them; all in one currency, together at least Stripe's minimum."""
    if not given:
        raise missing_parameter("line_items")
    if len(given) > _MOST_LINES:
        raise invalid_parameter("line_items", "Array line_items exceeded maximum 100 allowed.")
    lines = [_line(work, item, f"line_items[{at}]") for at, item in enumerate(given)]
    if len({line["currency"] for line in lines}) > 1:
        raise ApiError("All prices on a Checkout Session must have the same currency.")
    _require_minimum(total_minor(lines), lines[0]["currency"])
    return lines


def total_minor(lines: list[Obj]) -> int:
    return sum(line["amount_total"] for line in lines)


def _line(work: Work, item: Obj, param: str) -> Obj:
    quantity = item.get("quantity")
    if quantity is None:
        raise ApiError(
            f"Quantity is required. Add `quantity` to `{param}`", param=f"{param}[quantity]"
        )
    if quantity < 1:
        raise invalid_parameter(
            f"{param}[quantity]", "This value must be greater than or equal to 1."
        )
    price, description = _price(work, item, param)
    amount_minor = price["unit_amount"] * quantity
    return {
        "id": new_object_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount_minor,
        "amount_tax": 0,
        "amount_total": amount_minor,
        "currency": price["currency"],
        "description": description,
        "metadata": dict(item.get("metadata") or {}),
        "price": price,
        "quantity": quantity,
    }


def _price(work: Work, item: Obj, param: str) -> tuple[Obj, str]:
    """The price, and the name under which the page shows it."""
    if "price_data" in item and "price" in item:
        raise ApiError("You may only specify one of these parameters: price, price_data.")
    if "price_data" in item:
        price = catalog.price_of(work, item["price_data"], f"{param}[price_data]", active=False)
    elif "price" in item:
        price = catalog.existing_price(work, item["price"], f"{param}[price]")
    else:
        raise missing_parameter(f"{param}[price_data]")
    return price, str(work.get("product", price["product"])["name"])


def _require_minimum(amount_minor: int, currency: str) -> None:
    if amount_minor < minimum_minor(currency):
        least = in_words(minimum_minor(currency), currency)
        raise ApiError(
            f"The Checkout Session's total amount due must add up to at least {least} {currency}",
            code="amount_too_small",
        )
