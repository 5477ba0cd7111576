"""The gateway's calls about cards that guests keep: whose they are, what they are, and paying."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import stripe

from src.billing.domain.processor_amounts import from_processor
from src.billing.processor import PageStatus, ProcessorCard, ProcessorPage
from src.billing.stripe_answers import answer_of, metadata_of

EXPANDED = ["latest_charge"]
KEPT_BY_PAGE = ["payment_intent.payment_method", "setup_intent.payment_method"]
STATUSES = {
    "succeeded": PageStatus.COMPLETE,
    "processing": PageStatus.COMPLETE,
    "canceled": PageStatus.EXPIRED,
}


class CardCalls:
    """Every call names the business's account: customers and cards live there, and nowhere else."""

    _client: stripe.StripeClient

    async def create_customer(self, account_id: str, body: Mapping[str, Any], key: str) -> str:
        """The customer's id there; the same key makes one, and finds it again."""
        options: Any = {"stripe_account": account_id, "idempotency_key": key}
        call = self._client.v1.customers.create_async(cast(Any, body), options)
        return (await answer_of(call)).id

    async def find_customers(self, account_id: str, our_row_id: str, since: datetime) -> list[str]:
        """Asks what exists: whom we named so, made since then."""
        created = {"gte": int(since.timestamp())}
        call = self._client.v1.customers.list_async(
            cast(Any, {"created": created, "limit": 100}), {"stripe_account": account_id}
        )
        listed = await answer_of(call)
        known_as: list[str] = []
        while True:
            known_as += [
                found.id for found in listed.data if metadata_of(found).get("row_id") == our_row_id
            ]
            if not listed.has_more:
                return known_as
            listed = await answer_of(listed.next_page_async())

    async def delete_customer(self, account_id: str, customer_id: str) -> None:
        """With all their cards."""
        await answer_of(
            self._client.v1.customers.delete_async(
                customer_id, None, {"stripe_account": account_id}
            )
        )

    async def create_setup_page(
        self, account_id: str, body: Mapping[str, Any], key: str
    ) -> str | None:
        """The address of a page on which a card is kept and nothing is paid."""
        options: Any = {"stripe_account": account_id, "idempotency_key": key}
        call = self._client.v1.checkout.sessions.create_async(cast(Any, body), options)
        return (await answer_of(call)).url

    async def retrieve_kept_card(self, account_id: str, page_id: str) -> ProcessorCard | None:
        """The card that a page has kept; None when it kept none, or is not through yet."""
        call = self._client.v1.checkout.sessions.retrieve_async(
            page_id, {"expand": KEPT_BY_PAGE}, {"stripe_account": account_id}
        )
        page = await answer_of(call)
        intent = page.setup_intent if page.mode == "setup" else page.payment_intent
        method = None if intent is None or isinstance(intent, str) else intent.payment_method
        if page.status != "complete" or not isinstance(method, stripe.PaymentMethod):
            return None
        return _card(method, metadata_of(page))

    async def retrieve_card(self, account_id: str, payment_method_id: str) -> ProcessorCard | None:
        call = self._client.v1.payment_methods.retrieve_async(
            payment_method_id, None, {"stripe_account": account_id}
        )
        return _card(await answer_of(call), {})

    async def detach_card(self, account_id: str, payment_method_id: str) -> None:
        await answer_of(
            self._client.v1.payment_methods.detach_async(
                payment_method_id, None, {"stripe_account": account_id}
            )
        )

    async def create_card_payment(
        self, account_id: str, body: Mapping[str, Any], key: str
    ) -> ProcessorPage:
        """A payment that nobody has asked for yet, or the one that this key made before."""
        options: Any = {"stripe_account": account_id, "idempotency_key": key}
        call = self._client.v1.payment_intents.create_async(cast(Any, body), options)
        return _payment(await answer_of(call))

    async def confirm_card_payment(
        self, account_id: str, intent_id: str, body: Mapping[str, Any], key: str
    ) -> ProcessorPage:
        """Asks for the money. Raises: DefinitiveFailure for a card that does not pay."""
        options: Any = {"stripe_account": account_id, "idempotency_key": key}
        call = self._client.v1.payment_intents.confirm_async(intent_id, cast(Any, body), options)
        return _payment(await answer_of(call))

    async def retrieve_card_payment(self, account_id: str, intent_id: str) -> ProcessorPage:
        call = self._client.v1.payment_intents.retrieve_async(
            intent_id, {"expand": EXPANDED}, {"stripe_account": account_id}
        )
        return _payment(await answer_of(call))

    async def cancel_card_payment(self, account_id: str, intent_id: str) -> ProcessorPage:
        """From here on it brings no money. Raises: DefinitiveFailure for one that is through."""
        call = self._client.v1.payment_intents.cancel_async(
            intent_id, None, {"stripe_account": account_id}
        )
        return _payment(await answer_of(call))

    async def find_card_payment(
        self, account_id: str, our_page_id: str, since: datetime, until: datetime
    ) -> ProcessorPage | None:
        """Asks what exists: the payment we named so, made between the two moments, or None."""
        created = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        call = self._client.v1.payment_intents.list_async(
            cast(Any, {"created": created, "limit": 100}), {"stripe_account": account_id}
        )
        listed = await answer_of(call)
        while True:
            for found in listed.data:
                # The payment of a hosted page has the same words, and is that page's matter.
                words = metadata_of(found)
                if words.get("page_id") == our_page_id and words.get("kind") == "card":
                    return await self.retrieve_card_payment(account_id, found.id)
            if not listed.has_more:
                return None
            listed = await answer_of(listed.next_page_async())


def _card(method: stripe.PaymentMethod, metadata: dict[str, str]) -> ProcessorCard | None:
    card = getattr(method, "card", None) if method.type == "card" else None
    if card is None:
        return None
    owner = method.customer
    return ProcessorCard(
        payment_method_id=method.id,
        customer_id=owner if isinstance(owner, str) or owner is None else owner.id,
        brand=card.brand or "",
        last4=card.last4 or "",
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint or "",
        metadata=metadata,
    )


def _payment(intent: stripe.PaymentIntent) -> ProcessorPage:
    currency, is_paid = intent.currency.upper(), intent.status == "succeeded"
    amount = intent.amount_received if is_paid else intent.amount
    return ProcessorPage(
        id=intent.id,
        url=_bank_url(intent),
        status=STATUSES.get(intent.status, PageStatus.OPEN),
        is_paid=is_paid,
        has_failed=False,
        payment_intent_id=intent.id,
        amount_minor=from_processor(amount, currency),
        currency=currency,
        fee_minor=from_processor(intent.application_fee_amount or 0, currency),
        method="card",
        metadata=metadata_of(intent),
        declined=_declined(intent),
        is_unconfirmed=intent.status == "requires_confirmation",
    )


def _bank_url(intent: stripe.PaymentIntent) -> str | None:
    action = intent.next_action
    redirect = getattr(action, "redirect_to_url", None) if action is not None else None
    return redirect.url if redirect is not None else None


def _declined(intent: stripe.PaymentIntent) -> str:
    """The bank's own word where there is one: it tells more than that the card was declined."""
    if intent.status != "requires_payment_method":
        return ""
    error = intent.last_payment_error
    own = getattr(error, "decline_code", None), getattr(error, "code", None)
    return next((str(word) for word in own if word and word != "generic_decline"), "card_declined")
