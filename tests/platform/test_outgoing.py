"""Addresses from customers reach the public internet and nothing else."""

from collections.abc import AsyncIterator, Sequence

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from src.platform.outgoing import (
    AddressRefused,
    CheckedAddress,
    OutgoingGuard,
    is_public,
    outgoing_client,
)

pytestmark = pytest.mark.anyio


def guard_with(*addresses: str, allow_private: bool = False) -> OutgoingGuard:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return OutgoingGuard(allow_private=allow_private, resolve=resolve)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::",
        "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
        "64:ff9b::a00:1", "2002:7f00:1::", "not an address", "",
    ],
)  # fmt: skip
def test_address_of_our_own_or_nobodys_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"])
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


async def test_public_address_is_checked_down_to_the_ip() -> None:
    checked = await guard_with("93.184.216.34").check("https://hooks.example.com/a?b=c")
    assert checked == CheckedAddress(
        "https://hooks.example.com/a?b=c", "hooks.example.com", 443, "93.184.216.34"
    )


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.com", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)",
        "http://user:pass@example.com/", "http://@example.com", "http://", "http:///path",
        "http://example.com:99999/", "http://example.com\\@evil.example/", "http://exa mple.com/",
        "http://example.com/\r\nHost: x", "gopher://example.com", "https://" + "a" * 2_000,
    ],
)  # fmt: skip
async def test_odd_address_is_refused_without_being_resolved(url: str) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        raise AssertionError("nobody should ask")

    with pytest.raises(AddressRefused):
        await OutgoingGuard(resolve=resolve).check(url)


async def test_port_of_another_service_is_refused() -> None:
    with pytest.raises(AddressRefused):
        await guard_with("93.184.216.34").check("http://example.com:6379/")


async def test_name_with_any_private_answer_is_refused() -> None:
    with pytest.raises(AddressRefused, match="public internet"):
        await guard_with("93.184.216.34", "10.0.0.1").check("https://example.com/")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "[::1]"])
async def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await OutgoingGuard().check(f"http://{host}/")


async def test_name_that_does_not_exist_is_refused() -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(AddressRefused, match="cannot be found"):
        await OutgoingGuard(resolve=resolve).check("https://nowhere.example/")


@pytest.fixture
async def local_server() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on this machine that answers every request with a redirect to itself."""
    seen: list[bytes] = []

    async def answer(stream: SocketStream) -> None:
        async with stream:
            seen.append(await stream.receive())
            await stream.send(
                b"HTTP/1.1 302 Found\r\nlocation: /again\r\n"
                b"content-length: 0\r\nconnection: close\r\n\r\n"
            )

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield listener.extra(SocketAttribute.local_port), seen
        tasks.cancel_scope.cancel()


async def test_client_calls_the_checked_address_under_the_right_name(
    local_server: tuple[int, list[bytes]],
) -> None:
    port, seen = local_server
    async with outgoing_client(guard_with("127.0.0.1", allow_private=True)) as client:
        answer = await client.get(f"http://hooks.example.com:{port}/a")
    assert answer.status_code == 302
    assert len(seen) == 1
    assert seen[0].startswith(b"GET /a HTTP/1.1")
    assert f"host: hooks.example.com:{port}".encode() in seen[0].lower()


async def test_client_refuses_before_it_connects(local_server: tuple[int, list[bytes]]) -> None:
    port, seen = local_server
    async with outgoing_client(guard_with("127.0.0.1")) as client:
        with pytest.raises(AddressRefused):
            await client.get(f"http://127.0.0.1:{port}/")
        with pytest.raises(AddressRefused):
            await client.get("nonsense")
    assert seen == []
