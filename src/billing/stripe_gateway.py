"""Stripe, and nowhere else: the only module that imports its library, with its parts
`stripe_answers` and `stripe_cards`.

Charges are direct, so every call about a guest's money names the business's account. Each call
either returns one of our own structs or raises one of `DefinitiveFailure` and `Uncertain`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal, cast

import msgspec
import stripe

from src.billing.domain.processor_amounts import from_processor
from src.billing.processor import (
    Account,
    BadSignature,
    Dispute,
    PageStatus,
    ProcessorEvent,
    ProcessorPage,
    ProcessorRefund,
    RefundStatus,
)
from src.billing.stripe_answers import answer_of, metadata_of
from src.billing.stripe_cards import CardCalls
from src.platform.config import Settings

CALL_SECONDS = 10.0
RETRIES = 1
SIGNATURE_SECONDS = 300
EXPANDED = ["payment_intent.latest_charge"]
FAILED_INTENTS = frozenset({"canceled", "requires_payment_method"})
DISPUTE_OUTCOMES: Mapping[str, Literal["won", "lost"]] = {
    "won": "won",
    "warning_closed": "won",
    "prevented": "won",
    "lost": "lost",
}
REFUND_STATUSES = {"succeeded": RefundStatus.SUCCEEDED, "failed": RefundStatus.FAILED}
REFUND_STATUSES |= {"canceled": RefundStatus.FAILED}


class StripeGateway(CardCalls):
    """The processor as a port; holds one pool of connections, closed by `close`."""

    def __init__(
        self,
        secret_key: str,
        api_base: str | None = None,
        *,
        call_seconds: float = CALL_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        # Over plain HTTP, as to a stand-in, there is no certificate to look at, and to load what
        # would be trusted takes longer than a call.
        plain = api_base is not None and api_base.startswith("http://")
        self._http = stripe.HTTPXClient(timeout=call_seconds, verify_ssl_certs=not plain)
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base} if api_base else None,
            http_client=self._http,
            max_network_retries=retries,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "StripeGateway":
        return cls(settings.stripe_secret_key, settings.stripe_api_base)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the library's omission

    async def create_account(self, body: Mapping[str, Any], key: str) -> Account:
        call = self._client.v1.accounts.create_async(cast(Any, body), {"idempotency_key": key})
        return _account(await answer_of(call))

    async def account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        """The address of the processor's onboarding page; short-lived and good for one visit."""
        link = await answer_of(
            self._client.v1.account_links.create_async(
                {
                    "account": account_id,
                    "refresh_url": refresh_url,
                    "return_url": return_url,
                    "type": "account_onboarding",
                }
            )
        )
        return link.url

    async def retrieve_account(self, account_id: str) -> Account:
        return _account(await answer_of(self._client.v1.accounts.retrieve_async(account_id)))

    async def create_checkout_page(
        self, account_id: str, body: Mapping[str, Any], key: str
    ) -> ProcessorPage:
        """Makes the page, or returns the one that this key made before."""
        options: Any = {"stripe_account": account_id, "idempotency_key": key}
        call = self._client.v1.checkout.sessions.create_async(cast(Any, body), options)
        return _page(await answer_of(call))

    async def retrieve_checkout_page(self, account_id: str, page_id: str) -> ProcessorPage:
        call = self._client.v1.checkout.sessions.retrieve_async(
            page_id, {"expand": EXPANDED}, {"stripe_account": account_id}
        )
        return _page(await answer_of(call))

    async def find_checkout_page(
        self, account_id: str, our_page_id: str, since: datetime, until: datetime
    ) -> ProcessorPage | None:
        """Asks what exists: the page we named so, made between the two moments, or None."""
        created = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        call = self._client.v1.checkout.sessions.list_async(
            cast(Any, {"created": created, "limit": 100}), {"stripe_account": account_id}
        )
        pages = await answer_of(call)
        while True:
            for found in pages.data:
                if metadata_of(found).get("page_id") == our_page_id:
                    return await self.retrieve_checkout_page(account_id, found.id)
            if not pages.has_more:
                return None
            pages = await answer_of(pages.next_page_async())

    async def find_checkout_page_of(
        self, account_id: str, payment_intent_id: str
    ) -> ProcessorPage | None:
        """The page that brought a payment; None for one that was taken in another way."""
        call = self._client.v1.checkout.sessions.list_async(
            {"payment_intent": payment_intent_id, "limit": 1}, {"stripe_account": account_id}
        )
        found = (await answer_of(call)).data
        return _page(found[0]) if found else None

    async def expire_checkout_page(self, account_id: str, page_id: str) -> ProcessorPage:
        """Ends the page, so that nobody can pay it any more.

        Raises: DefinitiveFailure when it is not open, because it was paid or has ended.
        """
        call = self._client.v1.checkout.sessions.expire_async(
            page_id, {"expand": EXPANDED}, {"stripe_account": account_id}
        )
        return _page(await answer_of(call))

    async def create_refund(
        self, account_id: str, body: Mapping[str, Any], key: str
    ) -> ProcessorRefund:
        options: Any = {"stripe_account": account_id, "idempotency_key": key}
        call = self._client.v1.refunds.create_async(cast(Any, body), options)
        return _refund(await answer_of(call))

    async def retrieve_refund(self, account_id: str, refund_id: str) -> ProcessorRefund:
        call = self._client.v1.refunds.retrieve_async(
            refund_id, options={"stripe_account": account_id}
        )
        return _refund(await answer_of(call))

    async def list_refunds(self, account_id: str, payment_intent_id: str) -> list[ProcessorRefund]:
        """All refunds of one payment, whoever made them; the newest hundred at most."""
        call = self._client.v1.refunds.list_async(
            {"payment_intent": payment_intent_id, "limit": 100}, {"stripe_account": account_id}
        )
        return [_refund(refund) for refund in (await answer_of(call)).data]

    async def retrieve_dispute(self, account_id: str, dispute_id: str) -> Dispute:
        call = self._client.v1.disputes.retrieve_async(
            dispute_id, options={"stripe_account": account_id}
        )
        return _dispute(await answer_of(call))

    async def list_events(
        self, account_id: str, types: Collection[str], since: datetime
    ) -> list[ProcessorEvent]:
        """What happened on the account, oldest first, whether or not we were told of it."""
        created = {"gte": int(since.timestamp())}
        wish = {"types": sorted(types), "created": created, "limit": 100}
        page = await answer_of(
            self._client.v1.events.list_async(cast(Any, wish), {"stripe_account": account_id})
        )
        found = [_event(event, account_id) for event in page.data]
        while page.has_more:
            page = await answer_of(page.next_page_async())
            found += [_event(event, account_id) for event in page.data]
        return found[::-1]

    def read_dispute(self, told: Mapping[str, Any]) -> Dispute:
        """A dispute as an event told of it, for an account that cannot be asked any more."""
        return _dispute(stripe.Dispute.construct_from(dict(told), None))

    def construct_event(self, raw_body: bytes, signature: str, secret: str) -> ProcessorEvent:
        """Raises: BadSignature, also for a body that is signed and yet no event."""
        try:
            stripe.WebhookSignature.verify_header(
                raw_body.decode(), signature, secret, SIGNATURE_SECONDS
            )
            envelope = msgspec.json.decode(raw_body, type=_Envelope)
            payload = msgspec.json.decode(raw_body, type=dict[str, Any])
        except (stripe.SignatureVerificationError, ValueError) as error:
            raise BadSignature(str(error)) from error
        return ProcessorEvent(
            id=envelope.id,
            type=envelope.type,
            account_id=envelope.account,
            object_id=envelope.data.object.get("id"),
            payload=payload,
        )


class _EventData(msgspec.Struct):
    object: dict[str, Any]


class _Envelope(msgspec.Struct):
    """What we rely on in an event; the rest is kept and not looked at."""

    id: str
    type: str
    data: _EventData
    account: str | None = None


def _account(account: stripe.Account) -> Account:
    return Account(
        id=account.id,
        charges_enabled=bool(account.charges_enabled),
        details_submitted=bool(account.details_submitted),
    )


def _event(event: stripe.Event, account_id: str) -> ProcessorEvent:
    payload: dict[str, Any] = event.to_dict()
    return ProcessorEvent(
        id=event.id,
        type=event.type,
        account_id=account_id,
        object_id=payload["data"]["object"].get("id"),
        payload=payload,
    )


def _page(page: stripe.checkout.Session) -> ProcessorPage:
    """An intent that came unexpanded is named only; its amount is then the page's own."""
    intent = page.payment_intent
    expanded = intent if isinstance(intent, stripe.PaymentIntent) else None
    currency = (page.currency or "").upper()
    is_paid = page.status == "complete" and page.payment_status == "paid"
    amount = expanded.amount_received if expanded else page.amount_total
    fee = expanded.application_fee_amount if expanded else 0
    return ProcessorPage(
        id=page.id,
        url=page.url,
        status=PageStatus(page.status or "open"),
        is_paid=is_paid,
        has_failed=_has_failed(page, expanded),
        payment_intent_id=expanded.id if expanded else cast("str | None", intent),
        amount_minor=from_processor(amount or 0, currency),
        currency=currency,
        fee_minor=from_processor(fee or 0, currency),
        method=_method(expanded),
        metadata=metadata_of(page),
    )


def _has_failed(page: stripe.checkout.Session, intent: stripe.PaymentIntent | None) -> bool:
    """Whether a slow payment has turned out not to come, although its page was completed."""
    if page.status != "complete" or page.payment_status != "unpaid" or intent is None:
        return False
    return intent.status in FAILED_INTENTS


def _method(intent: stripe.PaymentIntent | None) -> str:
    charge = intent.latest_charge if intent else None
    details = charge.payment_method_details if isinstance(charge, stripe.Charge) else None
    return details.type if details else "card"


def _refund(refund: stripe.Refund) -> ProcessorRefund:
    intent = refund.payment_intent
    return ProcessorRefund(
        id=refund.id,
        status=REFUND_STATUSES.get(refund.status or "", RefundStatus.PENDING),
        amount_minor=from_processor(refund.amount, refund.currency.upper()),
        payment_intent_id=intent if isinstance(intent, str) or intent is None else intent.id,
        failure=str(refund.to_dict().get("failure_reason") or ""),
        metadata=metadata_of(refund),
    )


def _dispute(dispute: stripe.Dispute) -> Dispute:
    intent, currency = dispute.payment_intent, dispute.currency.upper()
    return Dispute(
        id=dispute.id,
        payment_intent_id=intent if isinstance(intent, str) or intent is None else intent.id,
        amount_minor=from_processor(dispute.amount, currency),
        currency=currency,
        outcome=DISPUTE_OUTCOMES.get(dispute.status),
    )
