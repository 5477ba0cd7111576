"""The choice of what goes back, as the pages about cancelling ask for it."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.domain.cancelling import MoneyChoice, Returnable, mark_of
from src.booking.domain.refund_policy import GivenBack
from src.booking.views.returns import MoneyAsked
from src.booking.web.amounts import read_amount
from src.booking.web.toll_words import which_dates
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.web.formats import any_of, money

MOST_PEOPLE = 100
MOST_AMOUNTS = 4
"""Of one guest, that are named."""


class CancelForm(msgspec.Struct):
    """Why, which goes into the mails; and what goes back: to everybody, and to single orders.

    An amount that is left empty follows what was chosen for everybody.
    """

    reason: Annotated[str, Meta(max_length=500)] = ""
    money: MoneyChoice | None = None
    package: UUID | None = None
    revoke: bool = False
    back: dict[str, Annotated[str, Meta(max_length=20)]] = msgspec.field(default_factory=dict)
    seen: Annotated[str, Meta(max_length=60)] = ""
    as_voucher: bool = False


def money_asked(
    people: Sequence[Returnable],
    currency: str,
    zone: ZoneInfo,
    packages: Sequence[GivenBack] = (),
) -> MoneyAsked | None:
    """What is to be chosen, None where nothing could go back; credits of the `packages` too."""
    if not people:
        return None
    shown = list(people[:MOST_PEOPLE])
    return MoneyAsked(
        people=shown,
        more=max(len(people) - MOST_PEOPLE, 0),
        full_minor=sum(one.full_minor for one in people),
        terms_minor=sum(one.terms_minor for one in people),
        by_hand_minor=sum(one.by_hand_minor for one in people),
        dates=which_dates([one.starts for one in shown], zone),
        hints=[_amounts(one, currency) for one in shown],
        mark=mark_of(people),
        paid_seats=sum(len(one.paid_ids) for one in people),
        terms_credits=sum(len(one.terms_ids) for one in people),
        packages=[(str(one.package_id), one.name) for one in packages],
        currency=currency,
    )


def _amounts(one: Returnable, currency: str) -> str:
    """Which amounts one guest can be given; with credits those are single ones."""
    most, with_credits = money(one.full_minor, currency), one.with_credits
    if not with_credits:
        said = _("At most %(amount)s.", amount=most)
    elif len(with_credits) > MOST_AMOUNTS:
        said = _(
            "Up to %(seats)s; more is for unspent credits too, which go only as a whole, at most"
            " %(amount)s.",
            seats=money(one.seats_minor, currency),
            amount=most,
        )
    else:
        said = _(
            "Up to %(seats)s; more is for unspent credits too, which go only as a whole:"
            " %(amounts)s.",
            seats=money(one.seats_minor, currency),
            amounts=any_of([money(minor, currency) for minor in with_credits]),
        )
    return f"{said} {_('Empty: as chosen above.')}"


def money_wanted(form: CancelForm, currency: str) -> MoneyWanted:
    """Raises: InvalidInput at the fields of what is no amount."""
    return MoneyWanted(
        choice=form.money,
        own=_own_amounts(form.back, currency),
        seen=form.seen or None,
        as_voucher=form.as_voucher,
        package_id=form.package,
        revokes_credits=form.revoke,
    )


def _own_amounts(back: Mapping[str, str], currency: str) -> dict[UUID, int]:
    own: dict[UUID, int] = {}
    wrong: dict[str, str] = {}
    for key, typed in back.items():
        if not typed.strip():
            continue
        try:
            own[UUID(key)] = read_amount(typed, currency, f"back.{key}")
        except InvalidInput as refused:
            wrong |= refused.fields
        except ValueError:
            wrong[f"back.{key}"] = _("There is no such booking.")
    if wrong:
        raise InvalidInput(_("Please look at the marked amounts."), fields=wrong)
    return own
