"""Answers are small on the wire and the same once unpacked."""

import gzip

import pytest
from litestar import MediaType, Response, get
from litestar.response import Stream

from src.platform.web.compression import CompressedParts
from tests.platform.web.conftest import Serve

pytestmark = pytest.mark.anyio

TEXT = "A class on every weekday. " * 200
PLAIN = {"Accept-Encoding": "identity"}


@get("/text", media_type=MediaType.HTML)
async def text() -> str:
    return TEXT


@get("/short", media_type=MediaType.HTML)
async def short() -> str:
    return "short"


@get("/picture", media_type="image/png")
async def picture() -> bytes:
    return b"\x89PNG" + bytes(5_000)


@get("/encoded", media_type=MediaType.HTML)
async def encoded() -> Response[bytes]:
    body = gzip.compress(TEXT.encode())
    return Response(body, media_type=MediaType.HTML, headers={"content-encoding": "gzip"})


@get("/stream")
async def stream() -> Stream:
    return Stream(iter([TEXT.encode()] * 3), media_type="text/csv")


async def test_text_is_compressed_for_those_who_take_it(serve: Serve) -> None:
    client = await serve(text)
    answer = await client.get("/text")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(TEXT) / 5
    assert answer.text == TEXT
    plain = await client.get("/text", headers=PLAIN)
    assert "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == len(TEXT)
    assert "Accept-Encoding" in answer.headers["vary"]
    assert "Accept-Encoding" in plain.headers["vary"]


@pytest.mark.parametrize("path", ["/short", "/picture", "/stream"])
async def test_what_does_not_gain_is_sent_as_it_is(serve: Serve, path: str) -> None:
    client = await serve(short, picture, stream)
    assert "content-encoding" not in (await client.get(path)).headers


async def test_what_is_encoded_already_is_left_alone(serve: Serve) -> None:
    client = await serve(encoded, stream)
    assert (await client.get("/encoded")).text == TEXT
    assert (await client.get("/stream")).text == TEXT * 3


@pytest.mark.parametrize(
    "parts", [[b"one"], [b"", b""], [b"<p>" * 5_000, b"x", b"</p>" * 40_000], [b"a"] * 50]
)
@pytest.mark.parametrize("word", [b"", b"w", b"token-token" * 5])
def test_parts_unpack_to_the_text_with_the_word_between(parts: list[bytes], word: bytes) -> None:
    compressed = CompressedParts(parts)
    assert gzip.decompress(compressed.gzipped(word)) == word.join(parts) == compressed.plain(word)
