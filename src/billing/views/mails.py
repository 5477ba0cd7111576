"""What billing's mails say."""

import msgspec

from src.platform.i18n import _


class MoneyMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a guest, about money that goes back; every word is in the guest's language.

    `what` is what was booked. `back` says how far the money has come, where the mail has no such
    sentence of its own. `to_voucher`: it is on the voucher again that it came from.
    """

    locale: str
    from_name: str
    guest_name: str
    reference: str
    what: str
    amount: str
    reason: str
    back: str
    contact: str
    href: str
    to_voucher: bool = False

    @property
    def way(self) -> str:
        """How it comes back, once it has gone."""
        if self.to_voucher:
            amount = self.amount
            return _("%(amount)s is on the voucher again that you paid with.", amount=amount)
        return _(
            "%(amount)s is on its way back to the card you paid with. Banks take up to ten days.",
            amount=self.amount,
        )


class OpenItemMail(msgspec.Struct, frozen=True, kw_only=True):
    """To an owner, about money that a person must look at."""

    locale: str
    from_name: str
    name: str
    business: str
    sentence: str
    href: str


class VoucherMail(msgspec.Struct, frozen=True, kw_only=True):
    """With a voucher to whoever it is for, or about it to who bought it; in the voucher's language.

    `giver` is empty for who bought it themselves, and `message` with it. `instead` says which money
    it was given in place of, if any. `sent` says when it goes to whom, `href` leads to what is left
    on it, or to the purchase.
    """

    locale: str
    from_name: str
    guest_name: str
    giver: str
    amount: str
    code: str
    expires: str
    message: str
    sent: str
    reference: str
    contact: str
    href: str
    instead: str = ""
