"""Answers in gzip: made on the way out, or put together from parts that were compressed before."""

import gzip
import struct
import zlib
from collections.abc import Iterable, Sequence

from litestar.types import Scope

from src.platform.web.cookies import Header, header_of

SMALLEST_BYTES = 1_000
LARGEST_BYTES = 2_000_000
"""What is larger would hold up other requests while it is compressed; a proxy may do it."""

QUICK, THOROUGH = 1, 9
COMPRESSIBLE = ("text/", "application/json", "application/problem+json", "image/svg+xml")

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"


def accepts_gzip(scope: Scope) -> bool:
    return "gzip" in header_of(scope, b"accept-encoding")


def compressed_answer(
    scope: Scope, headers: Iterable[Header], body: bytes
) -> tuple[list[Header], bytes]:
    """The answer in gzip where it pays, the browser takes it, and nobody has encoded it yet."""
    given = list(headers)
    names = {name.lower(): value for name, value in given}
    content_type = names.get(b"content-type", b"").decode("latin-1")
    if (
        not SMALLEST_BYTES <= len(body) <= LARGEST_BYTES
        or b"content-encoding" in names
        or not content_type.startswith(COMPRESSIBLE)
    ):
        return given, body
    kept = [header for header in given if header[0].lower() not in {b"content-length", b"vary"}]
    vary = names.get(b"vary", b"")
    kept.append((b"vary", vary + b", Accept-Encoding" if vary else b"Accept-Encoding"))
    if accepts_gzip(scope):
        body = gzip.compress(body, QUICK, mtime=0)
        kept.append((b"content-encoding", b"gzip"))
    kept.append((b"content-length", str(len(body)).encode()))
    return kept, body


class CompressedParts:
    """Parts of a text, compressed once, between which each answer puts a word of its own.

    Every part ends on a byte and refers to nothing before it, so that a word can stand between two
    as a stored block; only the checksum has to be worked out for each answer.
    """

    __slots__ = ("_compressed", "_plain", "size")

    def __init__(self, parts: Sequence[bytes]) -> None:
        self._plain = list(parts)
        self._compressed = [_deflated(part) for part in parts]
        self.size = sum(map(len, self._plain)) + sum(map(len, self._compressed))

    def plain(self, word: bytes) -> bytes:
        return word.join(self._plain)

    def gzipped(self, word: bytes) -> bytes:
        whole = self.plain(word)
        trailer = struct.pack("<II", zlib.crc32(whole), len(whole) & 0xFFFFFFFF)
        blocks = _stored(word).join(self._compressed)
        return b"".join((_GZIP_HEADER, blocks, _LAST_BLOCK, trailer))


def _deflated(part: bytes) -> bytes:
    compressor = zlib.compressobj(THOROUGH, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(part) + compressor.flush(zlib.Z_FULL_FLUSH)


def _stored(word: bytes) -> bytes:
    """A block that holds the word as it is; words are shorter than 65,536 bytes."""
    return struct.pack("<BHH", 0, len(word), len(word) ^ 0xFFFF) + word
