"""A message of the business to the guests of one session."""

from src.booking.events import GuestWrittenTo
from src.booking.guest_links import booking_path
from src.booking.mail_parts import place_of
from src.booking.queries.mail_facts import BookingFacts
from src.booking.views.mails import MessageView, RunView
from src.platform.config import Settings
from src.platform.i18n import use_locale
from src.platform.mail.queue import Mail
from src.platform.mail.templates import render_mail
from src.platform.web.formats import date_range
from src.tenants.context import TenantSnapshot


def message_mail(
    settings: Settings, tenant: TenantSnapshot, facts: BookingFacts, message: GuestWrittenTo
) -> Mail:
    """One to each customer, however many orders of theirs the message touches."""
    order = facts.order
    dates = {item.session.id: item for item in facts.seats}
    about = dates.get(message.session_id)
    with use_locale(order.locale):
        view = MessageView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            subject=message.subject,
            guest_name=order.guest_name,
            what=facts.what,
            runs=[]
            if about is None
            else [
                RunView(
                    when=date_range(about.session.starts_at, about.session.ends_at, tenant.zone),
                    title=about.session.title,
                    where=place_of(about),
                )
            ],
            zone_name=tenant.zone_name,
            paragraphs=[part.strip() for part in message.text.splitlines() if part.strip()],
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
        )
        rendered = render_mail("booking/message", view, order.locale)
    return Mail(
        kind="message",
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"message:{message.message_id}:{facts.booking.customer_id}",
    )
