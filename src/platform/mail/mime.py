"""A message as the bytes that go over the wire.

Put together from the standard library's classes of before its header registry: that one parses each
header it is given and folds it again, which costs more than all else about a mail. Everything is
7-bit ASCII.
Source: RFC 5322; RFC 2045, 2047 and 2231 as the standard library has them.
"""

from email.charset import QP, Charset
from email.encoders import encode_base64
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import formataddr

from litestar_email import EmailMessage

WIRE = compat32.clone(linesep="\r\n", max_line_length=76)
_READABLE = Charset("utf-8")
_READABLE.body_encoding = QP
"""Texts stay readable as they are, and no line of them is too long."""


def written(message: EmailMessage) -> bytes:
    """The whole message. Raises: ValueError for a header that holds the end of a line."""
    whole = _body(message)
    headers = {
        "Subject": message.subject,
        "From": message.from_email or "",
        "To": ", ".join(message.to),
        **({"Reply-To": ", ".join(message.reply_to)} if message.reply_to else {}),
        **message.headers,
    }
    for name, value in headers.items():
        if "\r" in value or "\n" in value:
            raise ValueError(f"The header {name} holds the end of a line.")
        whole[name] = value if value.isascii() else _encoded(value, name)
    return whole.as_bytes(policy=WIRE)


def address(name: str, email: str) -> str:
    """`Name <email>` for a header; a name that is not ASCII in words that each fit into a line."""
    if not name or name.isascii():
        return formataddr((name, email))
    return f"{_encoded(name)} <{email}>"


def _encoded(words: str, header: str | None = None) -> str:
    """In encoded words, each of which fits into a line, the first one behind the header's name."""
    return Header(words, "utf-8", maxlinelen=75, header_name=header).encode(linesep="")


def _body(message: EmailMessage) -> Message:
    texts = [_text(message.body, "plain")]
    texts += [_text(html, "html") for html, kind in message.alternatives if kind == "text/html"]
    body: Message = texts[0] if len(texts) == 1 else MIMEMultipart("alternative", None, texts)
    if not message.attachments:
        return body
    return MIMEMultipart("mixed", None, [body, *(_file(*one) for one in message.attachments)])


def _text(content: str, kind: str) -> Message:
    part = MIMENonMultipart("text", kind)
    part.set_payload(content, _READABLE)
    return part


def _file(filename: str, content: bytes, content_type: str) -> Message:
    main, _slash, rest = content_type.partition("/")
    part = MIMENonMultipart(main, rest)
    part.set_payload(content)
    encode_base64(part)
    plain = filename.isascii()
    part.add_header(
        "Content-Disposition",
        "attachment",
        filename=filename if plain else ("utf-8", "", filename),
    )
    return part
