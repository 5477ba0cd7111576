"""What the stand-in holds, counted: for tests that compare both sides of the money."""

from typing import Any

from src.sandbox.stripe.engine import Engine

_BY_STATUS = """
SELECT account, kind, coalesce(json_extract(body, '$.status'), ''), count(*),
       coalesce(sum(json_extract(body, '$.amount')), 0)
FROM objects
WHERE kind IN ('checkout.session', 'payment_intent', 'charge', 'refund', 'dispute')
GROUP BY 1, 2, 3
"""
_SUMS = """
SELECT account, json_extract(body, '$.currency'),
       sum(json_extract(body, '$.amount')), sum(json_extract(body, '$.amount_refunded')),
       sum(coalesce(json_extract(body, '$.application_fee_amount'), 0))
FROM objects
WHERE kind = 'charge' AND json_extract(body, '$.paid')
GROUP BY 1, 2
"""
_PAID_SESSIONS = """
SELECT account, count(*) FROM objects
WHERE kind = 'checkout.session' AND json_extract(body, '$.payment_status') = 'paid'
GROUP BY 1
"""


def describe(engine: Engine) -> dict[str, Any]:
    """Counts by account, kind and status; paid and refunded sums by account and currency in minor
    units; deliveries by state; faults that are on; misshapen answers so far.
    """
    accounts: dict[str, Any] = {}
    for account, kind, status, count, _ in engine.store.totals(_BY_STATUS):
        of_kind = _entry(accounts, account)["counts"].setdefault(kind, {})
        of_kind[status] = count
    for account, currency, paid, refunded, fees in engine.store.totals(_SUMS):
        _entry(accounts, account)["sums"][currency] = {
            "paid_minor": paid,
            "refunded_minor": refunded,
            "application_fee_minor": fees,
        }
    for account, count in engine.store.totals(_PAID_SESSIONS):
        _entry(accounts, account)["paid_sessions"] = count
    return {
        "now": engine.clock.now(),
        "accounts": accounts,
        "deliveries": engine.store.delivery_counts(),
        "faults": engine.faults.as_dict(),
        "conformance_failures": engine.conformance_failures,
    }


def _entry(accounts: dict[str, Any], account: str) -> dict[str, Any]:
    entry: dict[str, Any] = accounts.setdefault(
        account, {"counts": {}, "sums": {}, "paid_sessions": 0}
    )
    return entry
