"""A message as the bytes that go over the wire.

Written down directly, for the standard library's message parses each header it is given and folds
it again, which costs more than all else about a mail. Everything is 7-bit ASCII, no line longer
than 998 characters.
Source: RFC 5322; RFC 2045 and 2047 for what is not ASCII; RFC 2231 for names of files.
"""

import binascii
import re
import secrets
from collections.abc import Iterator
from email.header import Header
from email.utils import encode_rfc2231, formataddr

from litestar_email import EmailMessage

WIDTH = 76
_PLAIN_NAME = re.compile(r"[\w.-]+", re.ASCII)
_LINE_END = re.compile(r"\r\n|\r|\n")


def written(message: EmailMessage) -> bytes:
    """The whole message. Raises: ValueError for a header that holds the end of a line."""
    headers = [
        _header("Subject", message.subject),
        _header("From", message.from_email or ""),
        _header("To", ", ".join(message.to)),
        *([_header("Reply-To", ", ".join(message.reply_to))] if message.reply_to else []),
        *(_header(name, value) for name, value in message.headers.items()),
        b"MIME-Version: 1.0",
    ]
    return b"\r\n".join([*headers, *_body(message)])


def address(name: str, email: str) -> str:
    """`Name <email>` for a header; a name that is not ASCII in words that each fit into a line."""
    if not name or name.isascii():
        return formataddr((name, email))
    encoded = Header(name, "utf-8", maxlinelen=WIDTH - 1).encode(linesep="")
    return f"{encoded} <{email}>"


def _header(name: str, value: str) -> bytes:
    if "\r" in value or "\n" in value:
        raise ValueError(f"The header {name} holds the end of a line.")
    if not value.isascii():
        value = Header(value, "utf-8", header_name=name).encode(linesep="\r\n")
    elif len(name) + 2 + len(value) > WIDTH:
        value = Header(value, header_name=name, maxlinelen=WIDTH).encode(linesep="\r\n")
    return f"{name}: {value}".encode("ascii")


def _body(message: EmailMessage) -> Iterator[bytes]:
    """The rest of the headers, a blank line, and the parts."""
    texts = [_text(message.body, "plain")]
    texts += [_text(html, "html") for html, kind in message.alternatives if kind == "text/html"]
    body = texts[0] if len(texts) == 1 else _several("alternative", texts)
    if message.attachments:
        body = _several("mixed", [body, *(_file(*one) for one in message.attachments)])
    return iter(body)


def _several(kind: str, parts: list[list[bytes]]) -> list[bytes]:
    boundary = secrets.token_hex(16).encode()
    lines = [b'Content-Type: multipart/%s; boundary="%s"' % (kind.encode(), boundary), b""]
    for part in parts:
        lines += [b"--" + boundary, *part]
    return [*lines, b"--" + boundary + b"--", b""]


def _text(content: str, kind: str) -> list[bytes]:
    """Quoted-printable, so that it stays readable as it is and no line is too long."""
    lines = _LINE_END.sub("\n", content).encode()
    return [
        b'Content-Type: text/%s; charset="utf-8"' % kind.encode(),
        b"Content-Transfer-Encoding: quoted-printable",
        b"",
        binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n"),
    ]


def _file(filename: str, content: bytes, content_type: str) -> list[bytes]:
    encoded = binascii.b2a_base64(content, newline=False)
    return [
        _header("Content-Type", content_type),
        b"Content-Transfer-Encoding: base64",
        b"Content-Disposition: attachment; " + _parameter("filename", filename),
        b"",
        *(encoded[at : at + WIDTH] for at in range(0, len(encoded), WIDTH)),
    ]


def _parameter(name: str, value: str) -> bytes:
    if _PLAIN_NAME.fullmatch(value):
        return f'{name}="{value}"'.encode("ascii")
    return f"{name}*={encode_rfc2231(value, 'utf-8')}".encode("ascii")
