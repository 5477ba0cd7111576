"""Whatever happens in whatever order, no money appears or disappears."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from src.sandbox.stripe import Config
from src.sandbox.stripe.cards import CARDS
from src.sandbox.stripe.engine import PLATFORM, Engine
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.objects import accounts, balance, checkout_sessions, disputes, refunds
from src.sandbox.stripe.payments import Payer, pay_by_card
from tests.sandbox.stripe.conftest import line

refund = st.tuples(st.just("refund"), st.integers(1, 3000), st.booleans())
failing_refund = st.tuples(st.just("failing refund"), st.integers(1, 3000), st.booleans())
act = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from(sorted(CARDS)), st.integers(50, 5000)),
    refund,
    failing_refund,
    st.tuples(st.just("dispute"), st.sampled_from(["won", "lost"]), st.none()),
)


class World:
    """One business, its last paid intent, and what outsiders paid and got back."""

    def __init__(self) -> None:
        self.engine = Engine(Config("sk_test_money"))
        accounts.ensure_platform(self.engine)
        with self.engine.work() as work:
            self.account = accounts.create(work, {"country": "DE"})["id"]
            accounts.finish_onboarding(work, self.account)
        self.intent: Any = None

    def do(self, name: str, one: Any, two: Any) -> None:
        try:
            with self.engine.work(self.account) as work:
                getattr(self, name.replace(" ", "_"))(work, one, two)
        except ApiError as refusal:
            assert refusal.status == 400

    def pay(self, work: Any, card: str, amount_minor: int) -> None:
        params = {
            "success_url": "http://127.0.0.1/",
            "line_items": [line("Yoga", amount_minor)],
            "payment_intent_data": {"application_fee_amount": amount_minor // 7},
        }
        session = checkout_sessions.create(work, params)
        if pay_by_card(work, session, CARDS[card], Payer("g@example.com")).outcome == "paid":
            self.intent = session["payment_intent"]

    def refund(self, work: Any, amount_minor: int, fee_back: bool) -> None:
        wish = {"payment_intent": self.intent or "", "amount": amount_minor}
        if self.intent is not None:
            refunds.create(work, wish | {"refund_application_fee": fee_back})

    def failing_refund(self, work: Any, amount_minor: int, fee_back: bool) -> None:
        self.engine.faults.refunds.status = "failed"
        try:
            self.refund(work, amount_minor, fee_back)
        finally:
            self.engine.faults.refunds.status = "succeeded"

    def dispute(self, work: Any, outcome: Any, _: None) -> None:
        if self.intent is not None:
            charge = work.get("payment_intent", self.intent)["latest_charge"]
            opened = disputes.open_on(work, work.get("charge", charge), "general")
            disputes.close(work, opened["id"], outcome)

    def rows(self, account: str, kind: str, **where: Any) -> list[dict[str, Any]]:
        return self.engine.store.every(account, kind, where)

    def balance_minor(self, account: str) -> int:
        with self.engine.work(account) as work:
            available = balance.retrieve_balance(work, {})["available"]
        return sum(amount["amount"] for amount in available)


def processor_fees_minor(world: World) -> int:
    moved = world.rows(world.account, "balance_transaction")
    parts = [part for one in moved for part in one["fee_details"]]
    return sum(part["amount"] for part in parts if part["type"] == "stripe_fee")


@settings(max_examples=60)
@given(st.lists(act, max_size=12))
def test_the_books_balance(acts: list[tuple[str, Any, Any]]) -> None:
    world = World()
    for one in acts:
        world.do(*one)
    charges = world.rows(world.account, "charge", paid=1)
    paid_minor = sum(charge["amount"] for charge in charges)
    refunded_minor = sum(
        one["amount"] for one in world.rows(world.account, "refund") if one["status"] != "failed"
    )
    lost_minor = sum(one["amount"] for one in world.rows(world.account, "dispute", status="lost"))
    lost_minor += sum(
        one["amount"] for one in world.rows(world.account, "dispute", status="needs_response")
    )
    held_minor = world.balance_minor(world.account) + world.balance_minor(PLATFORM)
    gone_minor = refunded_minor + lost_minor + processor_fees_minor(world)
    assert held_minor == paid_minor - gone_minor
    assert all(0 <= charge["amount_refunded"] <= charge["amount"] for charge in charges)
    assert sum(charge["amount_refunded"] for charge in charges) == refunded_minor
    fees = world.rows(PLATFORM, "application_fee")
    assert all(0 <= fee["amount_refunded"] <= fee["amount"] for fee in fees)
    assert world.balance_minor(PLATFORM) == sum(
        fee["amount"] - fee["amount_refunded"] for fee in fees
    )
    assert world.engine.conformance_failures == []
    world.engine.store.close()
