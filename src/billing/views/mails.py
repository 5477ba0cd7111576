"""What billing's mails say."""

import msgspec


class MoneyMail(msgspec.Struct, frozen=True, kw_only=True):
    """To a guest, about money that goes back; `amount` and `reason` are in the guest's language."""

    locale: str
    from_name: str
    guest_name: str
    reference: str
    amount: str
    reason: str
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
