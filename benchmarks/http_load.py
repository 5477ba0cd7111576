"""A cheap HTTP/1.1 client: kept connections, no parsing beyond what is needed.

It shares the two cores with what it measures, so it does as little as it can.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SET_COOKIE = re.compile(rb"\r\nset-cookie: *([^=;\r]+=[^;\r]*)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]*)", re.IGNORECASE)

Request = bytes


def get(path: str, headers: Mapping[str, str] | None = None) -> Request:
    return _request("GET", path, headers or {}, b"")


def post(path: str, body: bytes, headers: Mapping[str, str]) -> Request:
    return _request("POST", path, headers, body)


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `head` as it was sent."""

    status: int
    head: bytes
    body: bytes

    @property
    def location(self) -> str:
        found = _LOCATION.search(self.head)
        return found[1].decode() if found else ""

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (found.decode().partition("=") for found in _SET_COOKIE.findall(self.head))
        return {name.strip(): value for name, _equals, value in pairs}


class Connection:
    """One kept connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        return cls(reader, writer)

    async def send(self, request: Request) -> Answer:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        return Answer(int(head[9:12]), head, body)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Load:
    """What a closed loop of clients saw. Latencies in milliseconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    sample: Answer | None = None

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def only(self, status: int) -> "Load":
        """Itself. Raises: RuntimeError when anything else was answered."""
        if set(self.statuses) != {status}:
            last = self.sample.body[:300] if self.sample else b""
            raise RuntimeError(f"Answers other than {status}: {dict(self.statuses)}, {last!r}")
        return self


async def closed_loop(
    port: int, make: Callable[[], Request], *, clients: int, requests: int
) -> Load:
    """So many clients, each sending its next request once its last one was answered."""
    connections = await asyncio.gather(*(Connection.open(port) for _ in range(clients)))
    load, left = Load(), iter(range(requests))

    async def client(connection: Connection) -> None:
        for _turn in left:
            request = make()
            began_at = time.perf_counter()
            answer = await connection.send(request)
            load.latencies.append((time.perf_counter() - began_at) * 1000)
            load.statuses[answer.status] += 1
            load.sample = answer

    began_at = time.perf_counter()
    await asyncio.gather(*map(client, connections))
    load.seconds = time.perf_counter() - began_at
    for connection in connections:
        connection.close()
    return load


async def all_at_once(port: int, requests: list[Request]) -> Load:
    """Every request on a connection of its own, opened before; sent in the same moment."""
    connections = await asyncio.gather(*(Connection.open(port) for _ in requests))
    load = Load()
    began_at = time.perf_counter()

    async def client(connection: Connection, request: Request) -> None:
        answer = await connection.send(request)
        load.latencies.append((time.perf_counter() - began_at) * 1000)
        load.statuses[answer.status] += 1
        load.sample = answer

    await asyncio.gather(*map(client, connections, requests))
    load.seconds = time.perf_counter() - began_at
    for connection in connections:
        connection.close()
    return load
