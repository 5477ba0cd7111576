"""A guest who is signed in at one business."""

from uuid import UUID

import msgspec


class PortalGuest(msgspec.Struct, frozen=True, kw_only=True):
    """The customer who has proved an address of theirs, as this one business knows them.

    Of one who was merged it is who is left, with the address that their mails go to. `locale` is
    the language that they chose, None where they have said nothing.
    """

    customer_id: UUID
    email: str
    name: str
    phone: str = ""
    locale: str | None = None


class PortalCodeMail(msgspec.Struct, frozen=True, kw_only=True):
    """The mail with the way into a guest's own pages: its code, in two halves, and its link."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    code: str
    minutes: int
    link_url: str


class OwnAddressMail(msgspec.Struct, frozen=True, kw_only=True):
    """The mail by which a guest proves another address, or that tells the former one. `url` is
    where its button leads, empty for none; `hours` how long it does.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    url: str = ""
    hours: int = 0
