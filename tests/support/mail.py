"""A mail port that keeps what it was given."""

from litestar_email import EmailMultiAlternatives

from src.platform.mail.smtp import MailInDoubt, MailRefused


class RememberingMailer:
    """Takes every message; `refuse_next` makes the next so many sends fail as a server would.

    `doubts_next` are taken without an answer; `refuses_for_good` is what is said of every address.
    """

    mail_from = "bookings@seatline.example"

    def __init__(self) -> None:
        self.sent: list[EmailMultiAlternatives] = []
        self.refuse_next = 0
        self.doubts_next = 0
        self.refuses_for_good = ""
        self.asked = 0

    async def send(self, message: EmailMultiAlternatives) -> None:
        self.asked += 1
        if self.refuses_for_good:
            raise MailRefused(self.refuses_for_good)
        if self.doubts_next:
            self.doubts_next -= 1
            self.sent.append(message)
            raise MailInDoubt("No answer came.")
        if self.refuse_next:
            self.refuse_next -= 1
            raise ConnectionRefusedError("The mail server does not answer.")
        self.sent.append(message)
