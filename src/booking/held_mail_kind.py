"""The mail about places that are held no more, as businesses may word it."""

from src.booking.held_mails import NAME, held_cancelled_mail
from src.booking.mail_kinds import COMMON
from src.booking.mail_parts import REASON
from src.booking.mail_previews import shown
from src.booking.queries.mail_facts import BookingFacts
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import MailKind, Preview, register_mail_kind


def _build(_uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return held_cancelled_mail(
        asked.settings,
        asked.tenant,
        facts,
        lost=[item.seat.id for item in facts.seats],
        reason=_("The hall is closed."),
        wordings=asked.wordings,
    )


def register_held_mail() -> None:
    register_mail_kind(
        MailKind(
            key=NAME,
            template="booking/held_cancelled",
            title=N_("Places held no more"),
            occasion=N_("When you cancel a date of places that a guest was to pay by a link."),
            starter_subject=N_("Not held any more: {service}"),
            starter=N_(
                "Hello {customer_name},\n\nThese dates are cancelled. {reason}\n\n{dates}\n\n"
                "Nothing of {service} is held for you any more, and you have nothing to pay.\n\n"
                "{booking_link}"
            ),
            button=N_("See your booking"),
            placeholders=(*COMMON, REASON),
            needed=("dates",),
            preview=shown(_build),
        )
    )
