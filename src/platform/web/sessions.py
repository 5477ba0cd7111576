"""Who is at the browser, kept in Valkey under an id that only the server gives out.

Nothing is read until a handler or guard asks (`await session_of(request)`), and a visitor without
data gets no session at all. An id that the store does not know is never taken over; signing in and
out, and every change of privilege, moves to a new id (`rotate`). A session ends when idle for too
long, at an absolute age, or when it is revoked, and a request still running cannot revive it.
The store only knows ids by their hash, so that reading the store does not let anyone in.

A guest who proved an address to a business has a session of the same kind, in a store and under a
cookie of its own for each business (`guest_session_of`): it is no user's, and nobody's elsewhere.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Request
from redis.asyncio import Redis
from redis.exceptions import RedisError

from src.platform.clock import Clock
from src.platform.errors import Unavailable
from src.platform.i18n import _
from src.platform.web.cookies import header_of
from src.platform.web.exchange import Exchange, exchange_of

IDLE_LIFETIME = timedelta(days=14)
ABSOLUTE_LIFETIME = timedelta(days=90)
SEEN_EVERY = timedelta(minutes=1)
MAX_AGENT_CHARACTERS = 200
ID_CHARACTERS = 43


class SessionRecord(msgspec.Struct, array_like=True):
    """What is stored of one session."""

    user_id: UUID | None
    created_at: datetime
    seen_at: datetime
    agent: str
    data: dict[str, Any]


class SessionInfo(msgspec.Struct, frozen=True):
    """A live session as its owner sees it in a list; `key` names it without letting anyone in."""

    key: str
    created_at: datetime
    seen_at: datetime
    agent: str
    is_current: bool


class Session:
    """The session of one request; changes are stored before the answer leaves."""

    __slots__ = ("is_dirty", "key", "left_keys", "record", "session_id")

    def __init__(self, record: SessionRecord, session_id: str | None) -> None:
        self.record = record
        self.session_id = session_id
        self.key = key_of(session_id) if session_id else None
        self.left_keys: list[str] = []
        self.is_dirty = False

    @property
    def user_id(self) -> UUID | None:
        return self.record.user_id

    def get(self, name: str, default: Any = None) -> Any:
        return self.record.data.get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Keeps a value of the kinds JSON has, UUIDs and datetimes as text."""
        self.record.data[name] = value
        self.is_dirty = True

    def pop(self, name: str, default: Any = None) -> Any:
        self.is_dirty = self.is_dirty or name in self.record.data
        return self.record.data.pop(name, default)

    def sign_in(self, user_id: UUID, now: datetime) -> None:
        """From now on this browser is the user: new id, new age, nothing carried over."""
        self.record = SessionRecord(user_id, now, now, self.record.agent, {})
        self.rotate()

    def sign_out(self) -> None:
        """Ends the session; the store and the browser both forget it."""
        self._leave()
        self.record = SessionRecord(None, self.record.created_at, self.record.seen_at, "", {})
        self.is_dirty = False

    def rotate(self) -> None:
        """Moves to a new id, for every change of what the session may do."""
        self._leave()
        self.is_dirty = True

    def _leave(self) -> None:
        if self.key is not None:
            self.left_keys.append(self.key)
        self.session_id = self.key = None


class SessionStore:
    """Reads and writes sessions; times come from the clock, ends are also the store's own."""

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        idle: timedelta = IDLE_LIFETIME,
        absolute: timedelta = ABSOLUTE_LIFETIME,
        namespace: str = "",
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._idle = idle
        self._absolute = absolute
        self._namespace = namespace

    async def load(self, session_id: str | None, agent: str) -> Session:
        """The session of this id, or a new empty one that is stored once something is put in.

        Raises: Unavailable when the store cannot be asked.
        """
        now = self._clock.now()
        fresh = SessionRecord(None, now, now, agent[:MAX_AGENT_CHARACTERS], {})
        if session_id is None or len(session_id) != ID_CHARACTERS:
            return Session(fresh, None)
        try:
            found = await self._read(key_of(session_id))
        except RedisError as error:
            raise Unavailable(_("Please try again in a moment.")) from error
        return Session(found, session_id) if found is not None else Session(fresh, None)

    async def check_reachable(self) -> None:
        """Raises: Unavailable when nobody could be signed in just now."""
        try:
            await self._redis.ping()
        except RedisError as error:
            raise Unavailable(_("Please try again in a moment.")) from error

    async def _read(self, key: str) -> SessionRecord | None:
        stored = await self._redis.get(self._session_name(key))
        if stored is None:
            return None
        record = msgspec.msgpack.decode(stored, type=SessionRecord)
        return record if self._seconds_left(record) > 0 else None

    def _seconds_left(self, record: SessionRecord) -> int:
        ends_at = min(record.seen_at + self._idle, record.created_at + self._absolute)
        return int((ends_at - self._clock.now()).total_seconds())

    async def commit(self, session: Session) -> None:
        """Stores what changed; an id that was revoked meanwhile stays revoked."""
        now = self._clock.now()
        if session.key is not None and now - session.record.seen_at >= SEEN_EVERY:
            session.record.seen_at = now
            session.is_dirty = True
        for key in session.left_keys:
            await self._forget(key, session.record.user_id)
        session.left_keys.clear()
        if session.is_dirty:
            await self._write(session)

    async def _write(self, session: Session) -> None:
        is_new = session.key is None
        if is_new:
            session.session_id = secrets.token_urlsafe(32)
            session.key = key_of(session.session_id)
        seconds = max(self._seconds_left(session.record), 1)
        encoded = msgspec.msgpack.encode(session.record)
        name = self._session_name(cast("str", session.key))
        await self._redis.set(name, encoded, ex=seconds, xx=not is_new)
        session.is_dirty = False
        if is_new and session.user_id is not None:
            index = self._index_name(session.user_id)
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.zadd(index, {cast("str", session.key): self._clock.now().timestamp()})
                pipeline.expire(index, int(self._absolute.total_seconds()))
                await pipeline.execute()

    async def _forget(self, key: str, user_id: UUID | None) -> None:
        await self._redis.delete(self._session_name(key))
        if user_id is not None:
            await self._redis.zrem(self._index_name(user_id), key)

    async def sessions_of(self, user_id: UUID, current_key: str | None = None) -> list[SessionInfo]:
        """The user's live sessions, newest first."""
        keys = [k.decode() for k in await self._redis.zrevrange(self._index_name(user_id), 0, -1)]
        infos: list[SessionInfo] = []
        for key in keys:
            record = await self._read(key)
            if record is None or record.user_id != user_id:
                await self._redis.zrem(self._index_name(user_id), key)
                continue
            infos.append(
                SessionInfo(
                    key, record.created_at, record.seen_at, record.agent, key == current_key
                )
            )
        return infos

    async def revoke(self, user_id: UUID, keys: Sequence[str]) -> int:
        """Ends those of the keys that are sessions of this user; says how many were."""
        own = {info.key for info in await self.sessions_of(user_id)}
        chosen = [key for key in keys if key in own]
        for key in chosen:
            await self._forget(key, user_id)
        return len(chosen)

    async def revoke_all(self, user_id: UUID, except_key: str | None = None) -> int:
        """Ends all sessions of the user, for a new password; one may be spared."""
        infos = await self.sessions_of(user_id)
        return await self.revoke(user_id, [i.key for i in infos if i.key != except_key])

    def _session_name(self, key: str) -> str:
        return f"{self._namespace}session:{key}"

    def _index_name(self, user_id: UUID) -> str:
        return f"{self._namespace}user-sessions:{user_id}"


def key_of(session_id: str) -> str:
    return sha256(session_id.encode()).hexdigest()


async def session_of(request: Request[Any, Any, Any]) -> Session:
    """The session of the request's browser, read on the first call and kept for the rest.

    Raises: Unavailable when Valkey does not answer.
    """
    exchange = exchange_of(request.scope)
    if exchange.session is None:
        agent = header_of(request.scope, b"user-agent")
        exchange.session = await exchange.kit.sessions.load(exchange.cookie("session"), agent)
    return exchange.session


async def guest_session_of(request: Request[Any, Any, Any], business_id: UUID) -> Session:
    """The session of a guest of this business; a browser without one of its cookies has an empty
    one, for which nothing is asked. A request is at one business, so that there is one.

    Raises: Unavailable when Valkey does not answer.
    """
    exchange = exchange_of(request.scope)
    if exchange.guest_session is None:
        name = exchange.kit.cookies.guest(business_id)
        agent = header_of(request.scope, b"user-agent")
        found = await exchange.kit.guest_sessions.load(exchange.cookie_named(name), agent)
        exchange.guest_session = (name, found)
    return exchange.guest_session[1]


async def commit_sessions(exchange: Exchange) -> None:
    """Stores the request's sessions and tells the browser their ids where they are new or gone."""
    kit = exchange.kit
    if exchange.session is not None:
        await _commit(exchange, exchange.session, kit.sessions, kit.cookies.session)
    if exchange.guest_session is not None:
        name, session = exchange.guest_session
        await _commit(exchange, session, kit.guest_sessions, name)


async def _commit(exchange: Exchange, session: Session, store: SessionStore, name: str) -> None:
    before, cookies = exchange.cookie_named(name), exchange.kit.cookies
    await store.commit(session)
    if session.session_id is not None and session.session_id != before:
        age = int(ABSOLUTE_LIFETIME.total_seconds())
        exchange.cookies_to_write.append(cookies.written(name, session.session_id, age))
    elif session.session_id is None and before is not None:
        exchange.cookies_to_write.append(cookies.expired(name))
