"""A mail port that keeps what it was given."""

from litestar_email import EmailMultiAlternatives


class RememberingMailer:
    """Takes every message; `refuse_next` makes the next so many sends fail as a server would."""

    mail_from = "bookings@seatline.example"

    def __init__(self) -> None:
        self.sent: list[EmailMultiAlternatives] = []
        self.refuse_next = 0

    async def send(self, message: EmailMultiAlternatives) -> None:
        if self.refuse_next:
            self.refuse_next -= 1
            raise ConnectionRefusedError("The mail server does not answer.")
        self.sent.append(message)
