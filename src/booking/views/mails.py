"""What the templates of booking mails are given."""

import msgspec


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a booking, spelled out."""

    when: str
    title: str = ""
    where: str = ""
    join_url: str = ""


class ConfirmedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: you are booked."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    party_size: int
    money_line: str
    reference: str
    booking_url: str


class PaymentLinkView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: these places are held for you until you have paid."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    party_size: int
    price: str
    pay_until: str
    booking_url: str


class SeatsCancelledView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: these dates do not take place for you."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    reason: str
    booking_url: str
