"""Servers that do not answer: how long each is waited for, and what is said when it is down."""

import asyncio
import socket
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from src.platform.errors import Unavailable
from src.platform.i18n import _

REDIS_SECONDS = 2.0
# A statement that was cut off, an idle transaction that was, a server that ends or begins, and one
# that has no connection left.
_CUT_OFF = {"57014", "25P03", "57P01", "57P02", "57P03", "53300"}
_CONNECTION_CLASS = "08"
_NO_ANSWER = (
    PoolTimeoutError,
    RedisConnectionError,
    RedisTimeoutError,
    asyncio.TimeoutError,
    ConnectionError,
    socket.gaierror,
)


def make_redis(url: str, **options: Any) -> Redis:
    """A client that gives up after two seconds; for commands that do not wait by themselves."""
    client: Redis = Redis.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, **options
    )
    return client


def as_unavailable(error: BaseException) -> Unavailable | None:
    """The refusal that stands for a server which does not answer; None for any other error."""
    if not _is_outage(error):
        return None
    return Unavailable(_("We cannot reach our own records just now. Please try again in a moment."))


def _is_outage(error: BaseException) -> bool:
    if isinstance(error, _NO_ANSWER):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    driver = getattr(error, "orig", error)
    sqlstate = str(getattr(driver, "sqlstate", None) or "")
    return sqlstate in _CUT_OFF or sqlstate.startswith(_CONNECTION_CLASS)
