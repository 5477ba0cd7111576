"""The platform's fee on payments of connected accounts, and what it gives back of it."""

from src.sandbox.stripe.engine import PLATFORM, Work
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.objects import balance
from src.sandbox.stripe.objects.accounts import APPLICATION
from src.sandbox.stripe.objects.listing import as_list, list_objects
from src.sandbox.stripe.store import Obj

KIND = "application_fee"


def retrieve(work: Work, params: Obj, fee_id: str) -> Obj:
    return work.get(KIND, fee_id, label="application fee")


def list_all(work: Work, params: Obj) -> Obj:
    return list_objects(work, KIND, "/v1/application_fees", params, ("charge",))


def list_refunds(work: Work, params: Obj, fee_id: str) -> Obj:
    retrieve(work, {}, fee_id)
    url = f"/v1/application_fees/{fee_id}/refunds"
    return list_objects(work, "fee_refund", url, params, fee=fee_id)


def create_refund(work: Work, params: Obj, fee_id: str) -> Obj:
    fee = retrieve(work, {}, fee_id)
    left_minor = fee["amount"] - fee["amount_refunded"]
    amount_minor = params.get("amount", left_minor)
    if not 0 < amount_minor <= left_minor:
        raise ApiError(
            f"Refund amount ({amount_minor}) is greater than fee amount left ({left_minor}).",
            param="amount",
        )
    return give_back(work, fee, amount_minor, params.get("metadata") or {})


def take(work: Work, charge: Obj, amount_minor: int) -> str:
    """Moves the fee to the platform's balance; gives its id."""
    platform = work.on(PLATFORM)
    fee_id = new_object_id("fee")
    fee = {
        "id": fee_id,
        "object": KIND,
        "account": work.account,
        "amount": amount_minor,
        "amount_refunded": 0,
        "application": APPLICATION,
        "balance_transaction": balance.book(
            platform, "application_fee", fee_id, amount_minor, charge["currency"]
        ),
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "fee_source": {"charge": charge["id"], "type": "charge"},
        "livemode": False,
        "originating_transaction": None,
        "refunded": False,
        "refunds": as_list([], f"/v1/application_fees/{fee_id}/refunds"),
    }
    platform.add(fee)
    platform.emit("application_fee.created", fee)
    return fee_id


def give_back_share(work: Work, charge: Obj, refunded_minor: int) -> None:
    """Returns the part of the fee that the refunded part of the charge stands for.

    Rounded on the sum of such refunds, so that a full refund in parts returns all of the fee.
    """
    platform = work.on(PLATFORM)
    fee = platform.get(KIND, charge["application_fee"])
    private = work.store.private(fee["id"])
    before_minor = private.get("charge_refunded_minor", 0)
    after_minor = before_minor + refunded_minor
    share_minor = (
        fee["amount"] * after_minor // charge["amount"]
        - fee["amount"] * before_minor // charge["amount"]
    )
    work.store.save_private(fee["id"], private | {"charge_refunded_minor": after_minor})
    amount_minor = min(share_minor, fee["amount"] - fee["amount_refunded"])
    if amount_minor > 0:
        give_back(platform, fee, amount_minor, {})


def give_back(platform: Work, fee: Obj, amount_minor: int, metadata: Obj) -> Obj:
    """Moves money of the fee from the platform back to the account that paid it."""
    refund_id, currency = new_object_id("fr"), fee["currency"]
    refund = {
        "id": refund_id,
        "object": "fee_refund",
        "amount": amount_minor,
        "balance_transaction": balance.book(
            platform, "application_fee_refund", refund_id, -amount_minor, currency
        ),
        "created": platform.now,
        "currency": currency,
        "fee": fee["id"],
        "metadata": dict(metadata),
    }
    platform.add(refund)
    account = platform.on(fee["account"])
    balance.book(account, "application_fee_refund", refund_id, amount_minor, currency)
    fee["amount_refunded"] += amount_minor
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    fee["refunds"]["data"].insert(0, refund)
    platform.store.save(fee)
    platform.emit("application_fee.refunded", fee)
    return refund
