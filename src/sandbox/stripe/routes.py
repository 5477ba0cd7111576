"""The calls of the API that the stand-in answers, with their params types."""

from collections.abc import Callable
from dataclasses import dataclass

from src.sandbox.stripe import confirming
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.objects import (
    account_links,
    accounts,
    application_fees,
    balance,
    catalog,
    charges,
    checkout_sessions,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
)
from src.sandbox.stripe.store import Obj

Handler = Callable[..., Obj | ApiError]
"""`handler(work, params, *ids_of_the_path)`: one change or one look, inside a transaction. What it
returns as an error is answered as one, and what it has done is kept.
"""


@dataclass(frozen=True)
class Route:
    """`params` names the library's TypedDict. `does` lists the parameters that have an effect
    here, dots for nesting; what Stripe knows beyond them is refused, not skipped.
    """

    method: str
    path: str
    params: str
    handler: Handler
    does: frozenset[str]


def _route(method: str, path: str, params: str, handler: Handler, does: str = "") -> Route:
    return Route(method, path, params, handler, frozenset(does.split()) | _ALWAYS)


_ALWAYS = frozenset({"expand"})
_LIST = "limit starting_after ending_before created "
_PRICE_DATA = (
    "line_items.price_data.currency line_items.price_data.unit_amount "
    "line_items.price_data.product line_items.price_data.tax_behavior "
    "line_items.price_data.product_data.name line_items.price_data.product_data.description "
    "line_items.price_data.product_data.images line_items.price_data.product_data.metadata "
)
_SESSION = (
    "mode success_url cancel_url expires_at client_reference_id customer customer_email "
    "customer_creation metadata locale submit_type billing_address_collection "
    "allowed_payment_method_types currency setup_intent_data.metadata "
    "setup_intent_data.description payment_method_options.card.setup_future_usage "
    "custom_text.submit.message custom_text.after_submit.message "
    "line_items.price line_items.quantity line_items.metadata " + _PRICE_DATA
) + " ".join(
    f"payment_intent_data.{name}"
    for name in (
        "application_fee_amount",
        "description",
        "metadata",
        "receipt_email",
        "setup_future_usage",
        "statement_descriptor",
        "statement_descriptor_suffix",
    )
)
_ACCOUNT_UPDATE = (
    "email default_currency business_type business_profile.name business_profile.url "
    "business_profile.mcc business_profile.product_description business_profile.support_email "
    "business_profile.support_phone business_profile.support_url metadata "
)
_ACCOUNT = _ACCOUNT_UPDATE + "type country capabilities controller"

ROUTES = (
    _route("POST", "/v1/accounts", "AccountCreateParams", accounts.create, _ACCOUNT),
    _route("GET", "/v1/accounts", "AccountListParams", accounts.list_all, _LIST),
    _route("GET", "/v1/account", "AccountRetrieveCurrentParams", accounts.retrieve),
    _route("GET", "/v1/accounts/*", "AccountRetrieveParams", accounts.retrieve),
    _route("POST", "/v1/accounts/*", "AccountUpdateParams", accounts.update, _ACCOUNT_UPDATE),
    _route("DELETE", "/v1/accounts/*", "AccountDeleteParams", accounts.delete),
    _route(
        "POST",
        "/v1/account_links",
        "AccountLinkCreateParams",
        account_links.create,
        "account type refresh_url return_url collect collection_options",
    ),
    _route(
        "POST",
        "/v1/customers",
        "CustomerCreateParams",
        customers.create,
        "email name phone description preferred_locales metadata",
    ),
    _route("GET", "/v1/customers", "CustomerListParams", customers.list_all, _LIST + "email"),
    _route("GET", "/v1/customers/*", "CustomerRetrieveParams", customers.retrieve),
    _route(
        "POST",
        "/v1/customers/*",
        "CustomerUpdateParams",
        customers.update,
        "email name phone description preferred_locales metadata",
    ),
    _route("DELETE", "/v1/customers/*", "CustomerDeleteParams", customers.delete),
    _route(
        "POST",
        "/v1/products",
        "ProductCreateParams",
        catalog.create_product,
        "name description active metadata images",
    ),
    _route("GET", "/v1/products", "ProductListParams", catalog.list_products, _LIST + "active"),
    _route("GET", "/v1/products/*", "ProductRetrieveParams", catalog.retrieve_product),
    _route(
        "POST",
        "/v1/products/*",
        "ProductUpdateParams",
        catalog.update_product,
        "name description active metadata",
    ),
    _route(
        "POST",
        "/v1/prices",
        "PriceCreateParams",
        catalog.create_price,
        "currency unit_amount product nickname metadata tax_behavior",
    ),
    _route(
        "GET",
        "/v1/prices",
        "PriceListParams",
        catalog.list_prices,
        _LIST + "active product currency",
    ),
    _route("GET", "/v1/prices/*", "PriceRetrieveParams", catalog.retrieve_price),
    _route(
        "POST",
        "/v1/checkout/sessions",
        "checkout.SessionCreateParams",
        checkout_sessions.create,
        _SESSION,
    ),
    _route(
        "GET",
        "/v1/checkout/sessions",
        "checkout.SessionListParams",
        checkout_sessions.list_all,
        _LIST + "payment_intent customer status",
    ),
    _route(
        "GET",
        "/v1/checkout/sessions/*",
        "checkout.SessionRetrieveParams",
        checkout_sessions.retrieve,
    ),
    _route(
        "POST",
        "/v1/checkout/sessions/*",
        "checkout.SessionUpdateParams",
        checkout_sessions.update,
        "metadata",
    ),
    _route(
        "GET",
        "/v1/checkout/sessions/*/line_items",
        "checkout.SessionListLineItemsParams",
        checkout_sessions.list_lines,
        _LIST,
    ),
    _route(
        "POST",
        "/v1/checkout/sessions/*/expire",
        "checkout.SessionExpireParams",
        checkout_sessions.expire,
    ),
    _route(
        "GET",
        "/v1/payment_intents",
        "PaymentIntentListParams",
        payment_intents.list_all,
        _LIST + "customer",
    ),
    _route(
        "POST",
        "/v1/payment_intents",
        "PaymentIntentCreateParams",
        confirming.create,
        "amount currency customer payment_method allowed_payment_method_types confirm description "
        "metadata application_fee_amount return_url receipt_email setup_future_usage",
    ),
    _route("GET", "/v1/payment_intents/*", "PaymentIntentRetrieveParams", payment_intents.retrieve),
    _route(
        "POST",
        "/v1/payment_intents/*/cancel",
        "PaymentIntentCancelParams",
        payment_intents.cancel,
        "cancellation_reason",
    ),
    _route(
        "POST",
        "/v1/payment_intents/*/confirm",
        "PaymentIntentConfirmParams",
        confirming.confirm,
        "payment_method return_url off_session",
    ),
    _route("GET", "/v1/setup_intents/*", "SetupIntentRetrieveParams", setup_intents.retrieve),
    _route(
        "GET",
        "/v1/payment_methods",
        "PaymentMethodListParams",
        payment_methods.list_all,
        _LIST + "customer type",
    ),
    _route("GET", "/v1/payment_methods/*", "PaymentMethodRetrieveParams", payment_methods.retrieve),
    _route(
        "POST",
        "/v1/payment_methods/*/detach",
        "PaymentMethodDetachParams",
        payment_methods.detach,
    ),
    _route(
        "GET",
        "/v1/charges",
        "ChargeListParams",
        charges.list_all,
        _LIST + "payment_intent customer",
    ),
    _route("GET", "/v1/charges/*", "ChargeRetrieveParams", charges.retrieve),
    _route(
        "POST",
        "/v1/refunds",
        "RefundCreateParams",
        refunds.create,
        "charge payment_intent amount reason metadata refund_application_fee",
    ),
    _route(
        "GET",
        "/v1/refunds",
        "RefundListParams",
        refunds.list_all,
        _LIST + "charge payment_intent",
    ),
    _route("GET", "/v1/refunds/*", "RefundRetrieveParams", refunds.retrieve),
    _route("POST", "/v1/refunds/*", "RefundUpdateParams", refunds.update, "metadata"),
    _route(
        "GET",
        "/v1/application_fees",
        "ApplicationFeeListParams",
        application_fees.list_all,
        _LIST + "charge",
    ),
    _route(
        "GET", "/v1/application_fees/*", "ApplicationFeeRetrieveParams", application_fees.retrieve
    ),
    _route(
        "POST",
        "/v1/application_fees/*/refunds",
        "ApplicationFeeCreateRefundParams",
        application_fees.create_refund,
        "amount metadata",
    ),
    _route(
        "GET",
        "/v1/application_fees/*/refunds",
        "ApplicationFeeListRefundsParams",
        application_fees.list_refunds,
        _LIST,
    ),
    _route("GET", "/v1/balance", "BalanceRetrieveParams", balance.retrieve_balance),
    _route(
        "GET",
        "/v1/balance_transactions",
        "BalanceTransactionListParams",
        balance.list_all,
        _LIST + "currency source type",
    ),
    _route(
        "GET",
        "/v1/balance_transactions/*",
        "BalanceTransactionRetrieveParams",
        balance.retrieve,
    ),
    _route(
        "GET",
        "/v1/disputes",
        "DisputeListParams",
        disputes.list_all,
        _LIST + "charge payment_intent",
    ),
    _route("GET", "/v1/disputes/*", "DisputeRetrieveParams", disputes.retrieve),
    _route("GET", "/v1/events", "EventListParams", events.list_all, _LIST + "type types"),
    _route("GET", "/v1/events/*", "EventRetrieveParams", events.retrieve),
)

_BY_SHAPE: dict[tuple[str, int], list[Route]] = {}
for _one in ROUTES:
    _BY_SHAPE.setdefault((_one.method, _one.path.count("/")), []).append(_one)


def match(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a request and the ids in its path."""
    parts = path.split("/")
    for route in _BY_SHAPE.get((method, path.count("/")), []):
        wanted = route.path.split("/")
        if all(want in ("*", part) for want, part in zip(wanted, parts, strict=True)):
            ids = tuple(part for want, part in zip(wanted, parts, strict=True) if want == "*")
            return route, ids
    return None
