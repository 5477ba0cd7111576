"""The knobs under `/_emulator`: what tests and the demo turn, and Stripe does not have."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from src.sandbox.stripe import confirming, keeping, payments, state
from src.sandbox.stripe.cards import find_card
from src.sandbox.stripe.engine import Cause, Engine, Work
from src.sandbox.stripe.errors import ApiError, no_such
from src.sandbox.stripe.expiry import expire_due
from src.sandbox.stripe.faults import ApiFault, RefundKnob, WebhookFaults
from src.sandbox.stripe.objects import (
    accounts,
    checkout_sessions,
    disputes,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
)
from src.sandbox.stripe.payments import Payer
from src.sandbox.stripe.webhooks import WebhookSender

Json = dict[str, Any]


class ClockKnob(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: float = 0.0
    set: float | None = None


class PayKnob(msgspec.Struct, forbid_unknown_fields=True):
    """`card` pays at once; a `method` such as `sepa_debit` waits to be settled. A card that asks
    for 3-D Secure is answered by `authenticate`.
    """

    session: str
    card: str = "4242424242424242"
    method: str = ""
    email: str = "guest@example.com"
    name: str | None = None
    authenticate: bool = True


class SettleKnob(msgspec.Struct, forbid_unknown_fields=True):
    session: str
    outcome: Literal["succeeded", "failed"] = "succeeded"


class RefundSettleKnob(msgspec.Struct, forbid_unknown_fields=True):
    refund: str
    status: Literal["succeeded", "failed"] = "succeeded"


class DisputeKnob(msgspec.Struct, forbid_unknown_fields=True):
    """Opens a dispute on a payment intent or charge, or closes the `dispute` given."""

    payment: str = ""
    reason: str = "fraudulent"
    dispute: str = ""
    outcome: Literal["won", "lost"] = "lost"


class DashboardRefundKnob(msgspec.Struct, forbid_unknown_fields=True):
    """A refund by hand in the business's own Stripe dashboard."""

    payment: str
    amount: int | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    refund_application_fee: bool = False


class AccountKnob(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    charges_enabled: bool = True


class DisconnectKnob(msgspec.Struct, forbid_unknown_fields=True):
    account: str


class AuthenticateKnob(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to the bank's question about an intent that a program confirmed."""

    intent: str
    approve: bool = True


class CardKnob(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a card that was kept: its time is over, or the business takes it off in its
    own Stripe dashboard.
    """

    payment_method: str
    what: Literal["expires", "detached"]


class FlushKnob(msgspec.Struct, forbid_unknown_fields=True):
    timeout_seconds: float = 10.0


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Emulator:
    """Every knob takes a JSON object and answers with one."""

    def __init__(self, engine: Engine, sender: WebhookSender) -> None:
        self._engine = engine
        self._sender = sender

    async def turn(self, knob: str, body: bytes, base_url: str) -> Json:
        """Raises `ApiError` for an unknown knob, a wrong body or an impossible wish."""
        found = _KNOBS.get(knob)
        if found is None:
            raise no_such("knob", knob)
        shape, act = found
        try:
            wish = msgspec.json.decode(body or b"{}", type=shape)
        except msgspec.MsgspecError as error:
            raise ApiError(f"{knob}: {error}") from error
        return await act(self, wish, Cause(base_url))

    def state(self) -> Json:
        expire_due(self._engine)
        return state.describe(self._engine)

    async def webhooks(self, wish: WebhookFaults, cause: Cause) -> Json:
        self._engine.faults.webhooks = wish
        return self._engine.faults.as_dict()

    async def api_faults(self, wish: ApiFault, cause: Cause) -> Json:
        self._engine.faults.api.append(wish)
        return self._engine.faults.as_dict()

    async def refund_status(self, wish: RefundKnob, cause: Cause) -> Json:
        self._engine.faults.refunds = wish
        return self._engine.faults.as_dict()

    async def reset_faults(self, wish: Nothing, cause: Cause) -> Json:
        self._engine.faults.clear()
        return self._engine.faults.as_dict()

    async def clock(self, wish: ClockKnob, cause: Cause) -> Json:
        if wish.set is not None:
            self._engine.clock.move_to(wish.set)
        self._engine.clock.advance(wish.advance_seconds)
        return {"now": self._engine.clock.now(), "expired": expire_due(self._engine)}

    async def flush(self, wish: FlushKnob, cause: Cause) -> Json:
        return dict(await self._sender.flush(wish.timeout_seconds))

    async def pay(self, wish: PayKnob, cause: Cause) -> Json:
        expire_due(self._engine)
        account, _ = self._locate(wish.session)
        with self._engine.work(account, cause) as work:
            attempt = self._attempt(work, wish)
            session = checkout_sessions.load(work, wish.session)
        return {"outcome": attempt.outcome, "message": attempt.message, "session": session}

    def _attempt(self, work: Work, wish: PayKnob) -> payments.Attempt:
        session, payer = checkout_sessions.load(work, wish.session), Payer(wish.email, wish.name)
        if session["mode"] == "setup":
            return self._keep(work, session, wish)
        if wish.method:
            return payments.pay_otherwise(work, session, wish.method, payer)
        card = find_card(wish.card)
        if card is None:
            raise ApiError(f"{wish.card} is no test card.", param="card")
        attempt = payments.pay_by_card(work, session, card, payer)
        if attempt.outcome != "needs_3ds":
            return attempt
        return payments.authenticate(work, session, approved=wish.authenticate)

    def _keep(self, work: Work, session: Json, wish: PayKnob) -> payments.Attempt:
        card = find_card(wish.card)
        if card is None:
            raise ApiError(f"{wish.card} is no test card.", param="card")
        attempt = keeping.keep_card(work, session, card)
        if attempt.outcome == "needs_3ds":
            intent = work.get(setup_intents.KIND, session["setup_intent"])
            keeping.authenticate(work, intent, approved=wish.authenticate)
        return attempt

    async def authenticate(self, wish: AuthenticateKnob, cause: Cause) -> Json:
        account, _ = self._locate(wish.intent)
        with self._engine.work(account, cause) as work:
            intent = payment_intents.load(work, wish.intent)
            return confirming.authenticate(work, intent, approved=wish.approve)

    async def card(self, wish: CardKnob, cause: Cause) -> Json:
        account, method = self._locate(wish.payment_method)
        with self._engine.work(account, cause) as work:
            if wish.what == "expires":
                payment_methods.expire_now(work, method)
            else:
                payment_methods.detach_now(work, method)
        return method

    async def settle(self, wish: SettleKnob, cause: Cause) -> Json:
        account, session = self._locate(wish.session)
        with self._engine.work(account, cause) as work:
            return payments.settle_slow(work, session, succeeded=wish.outcome == "succeeded")

    async def refund_settle(self, wish: RefundSettleKnob, cause: Cause) -> Json:
        account, _ = self._locate(wish.refund)
        with self._engine.work(account, cause) as work:
            return refunds.settle(work, wish.refund, wish.status)

    async def dispute(self, wish: DisputeKnob, cause: Cause) -> Json:
        account, found = self._locate(wish.dispute or wish.payment)
        with self._engine.work(account, cause) as work:
            if wish.dispute:
                return disputes.close(work, wish.dispute, wish.outcome)
            charge_id = found.get("latest_charge") or found["id"]
            return disputes.open_on(work, work.get("charge", charge_id), wish.reason)

    async def refund_from_dashboard(self, wish: DashboardRefundKnob, cause: Cause) -> Json:
        account, found = self._locate(wish.payment)
        params = {
            found["object"]: wish.payment,
            "amount": wish.amount,
            "reason": wish.reason,
            "refund_application_fee": wish.refund_application_fee,
        }
        given = {name: value for name, value in params.items() if value is not None}
        with self._engine.work(account, cause) as work:
            return refunds.create(work, given)

    async def account(self, wish: AccountKnob, cause: Cause) -> Json:
        with self._engine.work(cause=cause) as work:
            return accounts.set_charges_enabled(work, wish.account, wish.charges_enabled)

    async def deauthorize(self, wish: DisconnectKnob, cause: Cause) -> Json:
        with self._engine.work(cause=cause) as work:
            accounts.deauthorize(work, wish.account)
        return {"stripe_user_id": wish.account}

    def _locate(self, object_id: str) -> tuple[str, Json]:
        found = self._engine.store.locate(object_id)
        if found is None:
            raise no_such("object", object_id)
        return found


_Act = Callable[[Emulator, Any, Cause], Awaitable[Json]]

_KNOBS: dict[str, tuple[Any, _Act]] = {
    "webhooks": (WebhookFaults, Emulator.webhooks),
    "api_faults": (ApiFault, Emulator.api_faults),
    "refund_status": (RefundKnob, Emulator.refund_status),
    "reset_faults": (Nothing, Emulator.reset_faults),
    "clock": (ClockKnob, Emulator.clock),
    "flush": (FlushKnob, Emulator.flush),
    "pay": (PayKnob, Emulator.pay),
    "authenticate": (AuthenticateKnob, Emulator.authenticate),
    "card": (CardKnob, Emulator.card),
    "settle": (SettleKnob, Emulator.settle),
    "refund_settle": (RefundSettleKnob, Emulator.refund_settle),
    "dispute": (DisputeKnob, Emulator.dispute),
    "refund_from_dashboard": (DashboardRefundKnob, Emulator.refund_from_dashboard),
    "account": (AccountKnob, Emulator.account),
    "deauthorize": (DisconnectKnob, Emulator.deauthorize),
}
