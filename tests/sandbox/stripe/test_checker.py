from typing import Any

import pytest

from src.sandbox.stripe.checker.requests import parse_params
from src.sandbox.stripe.checker.responses import check_answer
from src.sandbox.stripe.errors import ApiError, ConformanceError
from src.sandbox.stripe.form import decode_form
from src.sandbox.stripe.routes import ROUTES
from src.sandbox.stripe.sdk import params_type

SESSION = "checkout.SessionCreateParams"
ITEM = "line_items[0][price_data]"
REFUND: dict[str, Any] = {
    "id": "re_1",
    "object": "refund",
    "amount": 100,
    "created": 1,
    "currency": "eur",
    "balance_transaction": None,
    "charge": "ch_1",
    "metadata": {"any": "thing"},
    "payment_intent": None,
    "reason": "duplicate",
    "receipt_number": None,
    "source_transfer_reversal": None,
    "status": "succeeded",
    "transfer_reversal": None,
}


def test_values_get_their_declared_types() -> None:
    form = (
        f"mode=payment&{ITEM}[currency]=eur&{ITEM}[unit_amount]=100&line_items[0][quantity]=2"
        "&allow_promotion_codes=false&metadata[order]=7&expand[0]=line_items&expires_at=123"
    )
    assert parse_params(SESSION, decode_form(form)) == {
        "mode": "payment",
        "line_items": [{"price_data": {"currency": "eur", "unit_amount": 100}, "quantity": 2}],
        "allow_promotion_codes": False,
        "metadata": {"order": "7"},
        "expand": ["line_items"],
        "expires_at": 123,
    }


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("bogus=1", "parameter_unknown", "bogus"),
        ("line_items[0][bogus]=1", "parameter_unknown", "line_items[0][bogus]"),
        ("stripe_account=acct_1", "parameter_unknown", "stripe_account"),
        (f"{ITEM}[unit_amount]=1", "parameter_missing", f"{ITEM}[currency]"),
        ("expires_at=soon", "parameter_invalid_integer", "expires_at"),
        ("customer_email=", "parameter_invalid_empty", "customer_email"),
        ("mode=gift", None, "mode"),
        ("mode[x]=payment", None, "mode"),
        ("allow_promotion_codes=maybe", None, "allow_promotion_codes"),
        ("allowed_payment_method_types[0]=shells", None, "allowed_payment_method_types[0]"),
        ("allowed_payment_method_types=card", None, "allowed_payment_method_types"),
        (f"metadata[k]={'x' * 501}", None, "metadata[k]"),
        ("&".join(f"metadata[k{at}]=x" for at in range(51)), None, "metadata"),
    ],
)
def test_a_wrong_parameter_is_named(form: str, code: str | None, param: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_params(SESSION, decode_form(form))
    assert (refused.value.status, refused.value.code) == (400, code)
    assert refused.value.param == param


def test_a_union_takes_the_member_that_fits() -> None:
    assert parse_params("RefundListParams", decode_form("created=5")) == {"created": 5}
    bounded = parse_params("RefundListParams", decode_form("created[gte]=5"))
    assert bounded == {"created": {"gte": 5}}
    assert parse_params("CustomerUpdateParams", decode_form("metadata=")) == {"metadata": ""}


def test_every_route_names_parameters_that_the_library_knows() -> None:
    unknown = [
        (route.path, name)
        for route in ROUTES
        for name in route.does - {"expand"}
        if name.split(".")[0] not in params_type(route.params).__annotations__ and name != "created"
    ]
    assert unknown == []


def test_a_well_shaped_answer_passes() -> None:
    check_answer(REFUND)
    check_answer({"object": "list", "data": [REFUND], "has_more": False, "url": "/v1/refunds"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bogus": 1}, "refund.bogus: unknown field"),
        ({"amount": "100"}, "refund.amount"),
        ({"amount": True}, "refund.amount"),
        ({"amount": None}, "refund.amount: must not be null"),
        ({"reason": "mood"}, "refund.reason"),
        ({"charge": {"object": "charge", "id": "ch_1"}}, "missing"),
        ({"charge": {"object": "bogus"}}, "unknown object"),
        ({"destination_details": {"type": "card", "bogus": 1}}, "bogus: unknown field"),
    ],
)
def test_a_misshapen_answer_is_told(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ConformanceError, match=told):
        check_answer(REFUND | change)


def test_a_missing_field_is_told() -> None:
    with pytest.raises(ConformanceError, match=r"refund\.currency: missing"):
        check_answer({name: value for name, value in REFUND.items() if name != "currency"})
