"""What guests see of a service that is given by appointment, ready to be written out."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from src.booking.views.hub import OwnHold, PackageOffer
from src.booking.views.sharing import ShareCard


class PickerLink(msgspec.Struct, frozen=True, kw_only=True):
    """Something to choose: a length, a person. `price_minor` None: nothing is said of it."""

    label: str
    href: str
    is_chosen: bool
    price_minor: int | None = None


class PickerDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the month; without `times`, and then without a link, nothing is free on it."""

    on: date
    times: int
    href: str
    is_chosen: bool
    is_today: bool


class PickerTime(msgspec.Struct, frozen=True, kw_only=True):
    """A start to choose; both moments are what `your_time` shows on the reader's clock."""

    starts_at: datetime
    ends_at: datetime
    is_online: bool
    href: str


class TimePicker(msgspec.Struct, frozen=True, kw_only=True):
    """One month of days, and the times of the chosen one; None for a link that leads nowhere.

    `weeks` hold None before the first and after the last day. `weekdays` are the short and long
    names, in the order of the columns. `given_by` is who gives it where that is but one.
    `next_on` is the next day with a free time where the month
    has none.
    """

    lengths: list[PickerLink]
    performers: list[PickerLink]
    given_by: str
    on: date
    weekdays: list[tuple[str, str]]
    weeks: list[list[PickerDay | None]]
    previous_href: str | None
    next_href: str | None
    chosen_on: date | None
    times: list[PickerTime]
    next_on: date | None
    next_href_later: str | None


class AppointmentPageView(msgspec.Struct, frozen=True, kw_only=True):
    """The page of a service by appointment. `notice` says why nothing can be booked; `picker` is
    None then. `is_kept`: for established customers, and who looks is one.
    """

    name: str
    description: str
    summary: str
    minutes: int
    is_online: bool
    price: str
    zone: ZoneInfo
    currency: str
    hub_href: str
    path: str
    url: str
    contact_email: str
    contact_phone: str
    notice: str | None
    is_listed: bool
    picker: TimePicker | None
    leaving: list[str]
    packages: list[PackageOffer]
    packages_href: str
    held: list[OwnHold] = []
    card: ShareCard | None = None
    is_kept: bool = False
