"""What billing's mails say."""

import msgspec


class MoneyMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a guest, about money that goes back; every word is in the guest's language.

    `what` is what was booked. `back` says how far the money has come, where the mail has no such
    sentence of its own.
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


class OpenItemMail(msgspec.Struct, frozen=True, kw_only=True):
    """To an owner, about money that a person must look at."""

    locale: str
    from_name: str
    name: str
    business: str
    sentence: str
    href: str


class CreditMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a customer whose credits somebody changed. `change` says what was done, in the customer's
    language; `expiry` until when they are good. `left` is the number of what is left.
    """

    locale: str
    from_name: str
    guest_name: str
    package: str
    left: str
    expiry: str
    change: str
    reason: str
    contact: str
    href: str
