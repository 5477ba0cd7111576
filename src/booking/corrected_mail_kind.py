"""The mail to a corrected address, as businesses may word it."""

from collections.abc import Sequence

from src.booking.corrected_mails import NAME, bookings_again_mail
from src.booking.mail_kinds import as_confirmed, shown
from src.booking.mail_parts import MY_BOOKINGS
from src.booking.queries.mail_facts import BookingFacts
from src.booking.views.mails import BookingToComeView
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    MailKind,
    Placeholder,
    Preview,
    register_mail_kind,
)


def _build(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    owed_minor = facts.order.total_minor - facts.order.paid_minor
    return bookings_again_mail(
        asked.settings,
        asked.tenant,
        [facts.with_seats(as_confirmed(facts.seats))],
        uow.clock.now(),
        {},
        owed={facts.order.id: owed_minor},
        missing={},
        wordings=asked.wordings,
    )


def _in_words(bookings: Sequence[BookingToComeView]) -> str:
    """All of them in one paragraph, each with the address of its page."""
    return " ".join(
        _(
            "%(what)s (%(reference)s): %(dates)s. %(url)s",
            what=one.what,
            reference=one.reference,
            dates="; ".join(run.when for run in one.runs),
            url=one.booking_url,
        )
        for one in bookings
    )


def register_corrected_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="booking/bookings_again",
            title=N_("Several bookings, at a corrected address"),
            occasion=N_(
                "When you correct the address of a guest who has several bookings to come, with a"
                " calendar file."
            ),
            starter_subject=N_("Your bookings at {business}"),
            starter=N_(
                "Hello {customer_name},\n\nYour bookings at {business} come to this address from"
                " now on.\n\n{bookings}\n\n{my_bookings}"
            ),
            button=N_("All my bookings"),
            placeholders=(
                CUSTOMER_NAME,
                BUSINESS,
                Placeholder(
                    name="bookings",
                    label=N_("All bookings to come with dates, number and address"),
                    value=lambda view: _in_words(view.bookings),
                ),
                Placeholder(
                    name="timezone",
                    label=N_("The clock of the times"),
                    value=lambda view: view.zone_name,
                ),
                MY_BOOKINGS,
                CONTACT,
            ),
            needed=("bookings",),
            preview=shown(_build),
        )
    )
