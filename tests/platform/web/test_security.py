"""What every answer carries, whose word about the client is taken, and what operators can ask."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from litestar import Request, get
from litestar.params import FromPath
from redis.asyncio import Redis

from src.platform.config import Settings
from src.platform.web.kit import WebKit
from src.platform.web.security import client_address
from tests.platform.web.conftest import Serve
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

AnyRequest = Request[Any, Any, Any]


@get("/who")
async def who(request: AnyRequest) -> dict[str, str]:
    return {"address": client_address(request.scope), "scheme": request.scope["scheme"]}


@get("/embed", opt={"embeddable": True})
async def embed() -> str:
    return "embedded"


@get("/door", opt={"camera": True})
async def door() -> str:
    return "door"


@get("/links/{token:str}")
async def link(token: FromPath[str]) -> str:
    return "link"


async def test_policy_allows_own_content_only_and_payment_pages_as_form_targets(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    kit = make_kit(form_action_origins=["https://checkout.stripe.com"])
    headers = (await (await serve(who, kit=kit)).get("/who")).headers
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'self'" in policy
    assert "form-action 'self' https://checkout.stripe.com" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any("unsafe" in directive for directive in policy)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in headers


async def test_the_camera_is_for_those_pages_alone_that_name_it(serve: Serve) -> None:
    client = await serve(who, embed, door)
    given = {
        path: (await client.get(path)).headers["permissions-policy"].split(", ")
        for path in ("/who", "/embed", "/door", "/nowhere")
    }
    assert {path for path, allowed in given.items() if "camera=(self)" in allowed} == {"/door"}
    assert all("microphone=()" in allowed for allowed in given.values())
    framed = (await client.get("/door")).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in framed


async def test_secure_site_asks_for_https_only(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    headers = (await (await serve(who, kit=make_kit(secure=True))).get("/who")).headers
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "upgrade-insecure-requests" in headers["content-security-policy"]


async def test_only_embeddable_pages_may_be_framed(serve: Serve) -> None:
    headers = (await (await serve(embed)).get("/embed")).headers
    assert "frame-ancestors *" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("0190a5b4-7a0a", True), ("short", False), ("a b\tc d e f g h", False), ("x" * 65, False)],
)
async def test_incoming_request_id_is_kept_when_well_formed(
    serve: Serve, given: str, is_kept: bool
) -> None:
    client = await serve(who)
    answer = await client.get("/who", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is is_kept
    assert 8 <= len(answer.headers["x-request-id"]) <= 64


FORWARDED = {"X-Forwarded-For": "198.51.100.7, 203.0.113.1, 10.0.0.2", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "peer", "address", "scheme"),
    [
        ([], "10.0.0.1", "10.0.0.1", "http"),
        (["10.0.0.0/8"], "192.0.2.1", "192.0.2.1", "http"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.1", "https"),
        (["10.0.0.0/8", "203.0.113.1"], "10.0.0.1", "198.51.100.7", "https"),
    ],
)
async def test_forwarded_client_is_believed_from_named_proxies_only(
    serve: Serve,
    make_kit: Callable[..., WebKit],
    proxies: list[str],
    peer: str,
    address: str,
    scheme: str,
) -> None:
    client = await serve(who, kit=make_kit(trusted_proxies=proxies), peer=(peer, 5000))
    answer = await client.get("/who", headers=FORWARDED)
    assert answer.json() == {"address": address, "scheme": scheme}


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        # A guest's own header comes first; the proxy adds another line, as HAProxy does.
        (["203.0.113.66", "198.51.100.7"], "198.51.100.7"),
        (["203.0.113.66", "198.51.100.7", "10.0.0.9"], "198.51.100.7"),
        (["203.0.113.66, 198.51.100.7", " 10.0.0.9 ,"], "198.51.100.7"),
        (["203.0.113.66", "nonsense", "10.0.0.9"], "10.0.0.9"),
        ([], "10.0.0.1"),
    ],
)
async def test_what_a_guest_says_of_itself_is_never_believed(
    serve: Serve, make_kit: Callable[..., WebKit], lines: list[str], address: str
) -> None:
    client = await serve(who, kit=make_kit(trusted_proxies=["10.0.0.0/8"]), peer=("10.0.0.1", 5000))
    headers = [("x-forwarded-for", line) for line in lines]
    headers += [("x-forwarded-proto", "http"), ("x-forwarded-proto", "https")]
    answer = await client.get("/who", headers=headers)
    assert answer.json() == {"address": address, "scheme": "https"}


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("not an address", ""),
    ],
)
async def test_client_counts_by_what_one_person_holds(
    serve: Serve, peer: str, address: str
) -> None:
    client = await serve(who, peer=(peer, 5000))
    assert (await client.get("/who")).json()["address"] == address


async def test_health_says_that_the_process_lives(serve: Serve) -> None:
    answer = await (await serve()).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_names_what_fails_but_not_why(serve: Serve, kit: WebKit) -> None:
    client = await serve()
    assert (await client.get("/readyz")).json() == {"valkey": "ok"}

    async def broken() -> None:
        raise ConnectionError("password for user app refused")

    kit.readiness_check("database", broken)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"valkey": "ok", "database": "failed"}


async def test_metrics_count_by_route_and_never_by_raw_address(serve: Serve) -> None:
    client = await serve(link)
    await client.get("/links/abc-secret-abc")
    await client.get("/nowhere/at/all")
    text = (await client.get("/metrics")).text
    assert 'seatline_http_requests_total{method="GET",route="/links/{token}",status="200"}' in text
    assert 'route="unmatched",status="404"' in text
    assert "abc-secret-abc" not in text
    assert "/nowhere" not in text


async def test_metrics_with_a_token_are_hidden_from_those_without(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    client = await serve(kit=make_kit(metrics_token="t0ken"))
    assert (await client.get("/metrics")).status_code == 404
    assert (
        await client.get("/metrics", headers={"Authorization": "Bearer wrong"})
    ).status_code == 404
    answer = await client.get("/metrics", headers={"Authorization": "Bearer t0ken"})
    assert answer.headers["content-type"].startswith("text/plain")


async def test_metrics_of_a_production_without_a_token_are_nobodys(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    client = await serve(kit=make_kit(metrics_need_token=True))
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert (await client.get("/metrics", headers=headers)).status_code == 404


@pytest.mark.parametrize(("environment", "status"), [("production", 404), ("demo", 200)])
async def test_production_needs_a_token_for_its_metrics(
    serve: Serve,
    settings: Settings,
    redis: Redis,
    clock: FrozenClock,
    environment: str,
    status: int,
) -> None:
    settings = msgspec.structs.replace(settings, environment=environment)
    client = await serve(kit=WebKit.from_settings(settings, redis=redis, clock=clock))
    assert (await client.get("/metrics")).status_code == status


async def test_head_is_answered_like_get_without_the_body(serve: Serve) -> None:
    client = await serve(who)
    head, whole = await client.head("/who"), await client.get("/who")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]
