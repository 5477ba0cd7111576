"""Mails from templates: three parts each, plain where plain, escaped where HTML."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from src.platform.mail.templates import TEMPLATES, render_mail
from src.tenants.jobs.account_mails import AccountMailView

MAILS = sorted(
    str(file.relative_to(TEMPLATES / "emails")).removesuffix(".subject.txt")
    for file in (TEMPLATES / "emails").rglob("*.subject.txt")
)
ACCOUNT_MAILS = ["confirm_email", "finish_sign_up", "known_address", "reset_password"]
LINK = "https://seatline.example/confirm-email/a.b-c_d?x=1&y=2"


def a_view(name: str = "Olive") -> AccountMailView:
    return AccountMailView(locale="en", from_name="Seatline", name=name, url=LINK)


@pytest.mark.parametrize("mail", MAILS)
def test_every_mail_has_all_three_parts(mail: str) -> None:
    for ending in (".subject.txt", ".txt", ".html"):
        assert Path(TEMPLATES, "emails", mail + ending).is_file()


@pytest.mark.parametrize("mail", ACCOUNT_MAILS)
def test_account_mails_say_the_same_in_text_and_html(mail: str) -> None:
    rendered = render_mail(f"tenants/{mail}", a_view(), "en")
    assert LINK in rendered.text
    assert LINK.replace("&", "&amp;") in rendered.html
    assert rendered.html.lower().lstrip().startswith("<!doctype html>")
    assert "Olive" in rendered.text
    assert "Olive" in rendered.html
    assert not any(mark in rendered.text for mark in ("<p", "<a ", "&amp;", "{{", "{%"))


@pytest.mark.parametrize("mail", ACCOUNT_MAILS)
def test_a_name_cannot_break_out_of_its_place(mail: str) -> None:
    rendered = render_mail(f"tenants/{mail}", a_view("O'Neil & <b>Co</b>\nBcc: x@y.example"), "en")
    assert "O'Neil & <b>Co</b>" in rendered.text
    assert "<b>Co</b>" not in rendered.html
    assert "\n" not in rendered.subject


def test_a_missing_value_is_an_error_and_never_an_empty_place() -> None:
    with pytest.raises(UndefinedError):
        render_mail("tenants/confirm_email", object(), "en")
