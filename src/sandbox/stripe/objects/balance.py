"""Balances: every movement of money is a balance transaction, and a balance is their sum."""

from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.objects.listing import list_objects
from src.sandbox.stripe.store import Obj

KIND = "balance_transaction"

_RATE_PER_TEN_THOUSAND = 150
_FIXED_FEE_MINOR = 25
DISPUTE_FEE_MINOR = 1500


def retrieve_balance(work: Work, params: Obj) -> Obj:
    """Everything is available at once; payouts do not happen here."""
    sums: dict[str, int] = {}
    for moved in work.store.every(work.account, KIND, {}):
        sums[moved["currency"]] = sums.get(moved["currency"], 0) + moved["net"]
    available = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sorted(sums.items())
    ]
    nothing = [
        {"amount": 0, "currency": currency, "source_types": {"card": 0}}
        for currency in sorted(sums)
    ]
    balance: Obj = {
        "object": "balance", "available": available, "livemode": False, "pending": nothing,
    }  # fmt: skip
    if work.account == PLATFORM:
        balance["connect_reserved"] = []
    return balance


def retrieve(work: Work, params: Obj, transaction_id: str) -> Obj:
    return work.get(KIND, transaction_id)


def list_all(work: Work, params: Obj) -> Obj:
    filters = ("currency", "source", "type")
    return list_objects(work, KIND, "/v1/balance_transactions", params, filters)


def book_charge(work: Work, charge: Obj, application_fee_minor: int) -> str:
    """The payment less the processor's own fee and the platform's fee."""
    amount_minor, currency = charge["amount"], charge["currency"]
    own_minor = (amount_minor * _RATE_PER_TEN_THOUSAND + 5_000) // 10_000 + _FIXED_FEE_MINOR
    fees = [_fee("stripe_fee", own_minor, currency, "Stripe processing fees", None)]
    if application_fee_minor:
        fees.append(
            _fee("application_fee", application_fee_minor, currency, "Application fee", True)
        )
    return book(work, "charge", charge["id"], amount_minor, currency, fees)


def book(
    work: Work,
    kind: str,
    source: str,
    amount_minor: int,
    currency: str,
    fees: list[Obj] | None = None,
) -> str:
    """Adds one movement and gives its id; `amount_minor` is negative for money that leaves."""
    fee_minor = sum(fee["amount"] for fee in fees or [])
    transaction = {
        "id": new_object_id("txn"),
        "object": KIND,
        "amount": amount_minor,
        "available_on": work.now,
        "balance_type": "payments",
        "created": work.now,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee_minor,
        "fee_details": fees or [],
        "net": amount_minor - fee_minor,
        "reporting_category": _REPORTING.get(kind, kind),
        "source": source,
        "status": "available",
        "type": kind,
    }
    return str(work.add(transaction)["id"])


def dispute_fee(currency: str) -> list[Obj]:
    return [_fee("stripe_fee", DISPUTE_FEE_MINOR, currency, "Dispute fee", None)]


_REPORTING = {
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "adjustment": "dispute",
}


def _fee(kind: str, amount_minor: int, currency: str, description: str, ours: bool | None) -> Obj:
    return {
        "amount": amount_minor,
        "application": "ca_SandboxApplication" if ours else None,
        "currency": currency,
        "description": description,
        "type": kind,
    }
