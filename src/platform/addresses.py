"""E-mail addresses that a mail can really be sent to."""

from email_validator import EmailNotValidError, validate_email

from src.platform.i18n import _


class NotAnAddress(ValueError):
    """`message` says what is wrong, in words for whoever typed it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def email_address(typed: str) -> str:
    """The address as mail servers take it: letters beyond ASCII in its domain in their own code.

    Whether it exists only a mail can tell. Raises: NotAnAddress, also for letters beyond ASCII
    before the @, which most servers refuse.
    Source: RFC 5890 for domains; RFC 6531 is what servers would have to speak for the rest.
    """
    try:
        checked = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise NotAnAddress(_("This is not an e-mail address.")) from None
    if "." not in checked.domain:
        raise NotAnAddress(_("This is not an e-mail address."))
    if checked.ascii_email is None:
        raise NotAnAddress(
            _("We cannot write to addresses with special letters before the @. Is there another?")
        )
    return checked.ascii_email
