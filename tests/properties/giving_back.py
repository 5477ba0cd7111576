"""Steps of guests who pay with vouchers, and of money that goes back, or is refused."""

from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.buying import GUEST, PICK, SIZE
from tests.properties.things import Back, Gift, Offer, Purchase, Run, Sale
from tests.properties.transferring import Transferring

MOST_GIFTS = 3
AMOUNT = st.sampled_from([1000, 1460, 4980, 10000])
NEWS = st.sampled_from(["open", "won", "lost", "lift"])


class GivingBack(Transferring):
    """Buying vouchers, spending them, blocking them; refunding, and trying it again."""

    @precondition(lambda self: sum(bool(one.bought) for one in self.model.gifts) < MOST_GIFTS)
    @rule(guest=GUEST, amount=AMOUNT)
    def buy_gift(self, guest: str, amount: int) -> None:
        gift = self.shop.run(self.steps.buy_gift(guest, amount))
        assert gift.bought is not None
        self.model.buy_gift(gift, gift.bought)
        self._count("buy gift")

    @rule(pick=PICK, which=PICK, size=SIZE, guest=GUEST, fits=st.booleans(), pays=st.booleans())
    def book_by_gift(
        self, pick: int, which: int, size: int, guest: str, fits: bool, pays: bool
    ) -> None:
        """What of the price it does not cover is paid by card, or on site."""
        gift = self._any(self.model.gifts, which)
        offers: list[Run | Offer] = [*self.model.series, *self.model.runs]
        if fits:
            may = [one for one in offers if self._may_buy(one, size, gift)]
            offers = may or offers
        sale = self._book(self._any(offers, pick), size, guest, gift=gift)
        if sale is None:
            self._count("book by gift, refused")
            return
        self._count("book by gift" + (", in part" if sale.to_pay else ""))
        if pays and sale.state == "open":
            self._go_to_pay(sale)
            self._pay(sale, heard=True)

    def _may_buy(self, what: Run | Offer, size: int, gift: Gift) -> bool:
        priced = self.model.price_of(what, size, self.now)
        return priced is not None and self._pays(gift, what, priced[1] * size) > 0

    @precondition(lambda self: [one for one in self.model.gifts if one.bought])
    @rule(pick=PICK, news=NEWS)
    def dispute(self, pick: int, news: str) -> None:
        """Of what a voucher was bought with: it can be used again once a member says so."""
        bought = [one for one in self.model.gifts if one.bought]
        gift = self._any([one for one in bought if one.state != "active"] or bought, pick)
        if news == "lift":
            self.shop.run(self.steps.block(gift, blocked=False))
            gift.state = "active"
        else:
            self._dispute(gift, None if news == "open" else "won" if news == "won" else "lost")
        self._count(f"dispute, {news}")

    def _dispute(self, gift: Gift, outcome: Literal["won", "lost"] | None) -> None:
        purchase = gift.bought
        assert purchase is not None
        self.shop.run(self.steps.dispute(purchase, outcome))
        self.model.dispute(gift, purchase, outcome)

    @precondition(lambda self: self._refundable())
    @rule(pick=PICK, part=st.sampled_from([30, 100, 101]), to_gift=st.booleans())
    def refund(self, pick: int, part: int, to_gift: bool) -> None:
        """To the card, or to the voucher that had paid."""
        self._refund(self._any(self._refundable(), pick), part, to_gift=to_gift)

    def _refund(self, of: Sale | Purchase, part: int, *, to_gift: bool) -> None:
        by_gift = isinstance(of, Sale) and of.on_gift > 0 and (to_gift or not of.at_processor)
        gift, left = (of.gift, of.on_gift) if isinstance(of, Sale) and by_gift else (None, None)
        left = of.at_processor if left is None else left
        amount = max(left * part // 100, 1) + (part > 100)
        expected = amount <= left and self.model.is_free(of, amount, self.now)
        allowed, _none = self._attempt(self.steps.refund(of, amount, gift))
        assert allowed == expected
        if allowed:
            self.model.refund(of, amount, gift, self.now)
            self._count(f"refund {'to a gift' if gift else 'to a card'}")

    @precondition(lambda self: self._refundable())
    @rule(pick=PICK, again=st.booleans())
    def refund_refused(self, pick: int, again: bool) -> None:
        """It is free again, or tried once more."""
        of = self._any(self._refundable(), pick)
        self._refund(of, 100, to_gift=False)
        self.deliver_refused()
        for back in self.model.failed(of)[-1:] if again else []:
            self._retry(back)

    @precondition(lambda self: self._failed())
    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        self._retry(self._any(self._failed(), pick))

    def _retry(self, back: Back) -> None:
        alike = [one for one in self.model.failed(back.of) if _are_alike(one, back)]
        step = self.steps.retry(back, alike.index(back))
        expected = self.model.may_retry(back, self.now)
        allowed, _none = self._attempt(step)
        assert allowed == expected
        if allowed:
            self.model.retry(back)


def _are_alike(one: Back, other: Back) -> bool:
    return (one.amount, one.cause) == (other.amount, other.cause)
