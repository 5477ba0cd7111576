"""A message over the wire says what it was told to, to a reader that is not ours."""

import string
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from litestar_email import EmailMultiAlternatives

from src.platform.mail.mime import address, written

TO = "carl@example.com"
visible = st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(' "\\,;<>()=?_')
one_line = st.text(visible, max_size=120).map(lambda said: " ".join(said.split()))
several_lines = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n .=\t"), max_size=2000
)
names = one_line.filter(lambda name: "=?" not in name)


def a_message(**parts: object) -> EmailMultiAlternatives:
    given_parts = {"subject": "Hi", "body": "Hello", "to": [TO], "from_email": "a@b.example"}
    return EmailMultiAlternatives(**{**given_parts, **parts})  # type: ignore[arg-type]  # fields by name


def read(content: bytes) -> EmailMessage:
    """Also checks what a mail server is strict about."""
    assert content.isascii()
    lines = content.split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert max(map(len, lines)) <= 998
    parsed = message_from_bytes(content, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    assert parsed.defects == []
    return parsed


def lines_of(part: EmailMessage | None) -> list[str]:
    assert part is not None
    # Not by get_content(), which ends lines at more signs than mail does.
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().rstrip("\r\n").split("\r\n")


@given(one_line.filter(lambda subject: "=?" not in subject))
@example("You are booked: " + "Yoga " * 40)
@example("Zażółć gęślą jaźń " * 8)
def test_a_subject_arrives_as_it_is(subject: str) -> None:
    assert read(written(a_message(subject=subject)))["Subject"] == subject


@given(names)
@example('O\'Neil, "Bob" <b@c.example>')
@example("Zoë Zoë " * 15 + "Zoë")
def test_a_name_arrives_as_it_is_and_harms_no_address(name: str) -> None:
    parsed = read(written(a_message(to=[address(name, TO)])))
    assert [one.addr_spec for one in parsed["To"].addresses] == [TO]
    # The standard library's newer parser keeps the blanks between the encoded words of a name.
    raw = " ".join(message_from_bytes(parsed.as_bytes(), policy=compat32)["To"].split())
    shown, email = parseaddr(raw)
    assert (" ".join(str(make_header(decode_header(shown))).split()), email) == (TO, name)[::-1]


@pytest.mark.slow
@given(several_lines, several_lines)
@example(".\n..\nFrom here on\n", "<p>" + "x" * 3000 + "</p>")
@example("trailing \nblanks\t\n", "")
def test_both_texts_arrive_line_by_line(text: str, html: str) -> None:
    message = read(written(a_message(body=text, html_body=html)))
    assert message.get_content_type() == "multipart/alternative"
    assert lines_of(message.get_body(("plain",))) == text.rstrip("\n").split("\n")
    assert lines_of(message.get_body(("html",))) == html.rstrip("\n").split("\n")


def test_a_file_comes_beside_the_texts() -> None:
    message = a_message(html_body="<p>Hello</p>", headers={"Message-ID": "<1@b.example>"})
    content = bytes(range(256)) * 4
    message.attach("dates.ics", content, "text/calendar")
    message.attach("Rechnung – März.pdf", b"%PDF", "application/pdf")
    parsed = read(written(message))
    assert parsed.get_content_type() == "multipart/mixed"
    assert parsed["Message-ID"] == "<1@b.example>"
    first, second = parsed.iter_attachments()
    assert (first.get_filename(), first.get_content_type()) == ("dates.ics", "text/calendar")
    assert first.get_payload(decode=True) == content
    assert second.get_filename() == "Rechnung – März.pdf"


def test_a_text_alone_is_no_multipart() -> None:
    parsed = read(written(a_message(body="Grüße")))
    assert (parsed.get_content_type(), parsed.get_content().strip()) == ("text/plain", "Grüße")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("first", ["Hi", "Zoë", "x" * 100])
def test_no_header_holds_a_second_one(first: str, end: str) -> None:
    smuggled = f"{first}{end}Bcc: x@y.example"
    for message in (
        a_message(subject=smuggled),
        a_message(to=[f"{TO}{end}Bcc: x@y.example"]),
        a_message(headers={"Date": smuggled}),
    ):
        with pytest.raises(ValueError, match="end of a line"):
            written(message)


@pytest.mark.parametrize("mark", [*string.punctuation, "\n", "\r"])
def test_a_name_smuggles_no_address(mark: str) -> None:
    for name in (f"Zoë{mark} x@y.example", f"Bob{mark} x@y.example"):
        message = a_message(to=[address(name, TO)])
        if mark in "\r\n" and name.isascii():
            with pytest.raises(ValueError, match="end of a line"):
                written(message)
            continue
        parsed = read(written(message))
        assert [one.addr_spec for one in parsed["To"].addresses] == [TO]
        assert sorted(parsed.keys()) == sorted(set(parsed.keys()))
