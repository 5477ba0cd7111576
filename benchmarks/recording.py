"""The program's own statements of one request, as a script for pgbench.

The request is answered by the program in this process, and what it sends to the database is noted:
so the script has the same statements in the same transactions as what it is compared with.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from src.app import build_app
from src.platform.services import Services

A_REFERENCE = "'R' || :id"
FAR_AWAY = "'2099-01-01'"
"""Outbox rows of a script are never due: nobody is to act on what did not happen."""


class Recorder:
    """Answers requests and notes their statements."""

    def __init__(self, services: Services, engine: AsyncEngine) -> None:
        self._engine = engine.sync_engine
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=cast("Any", build_app(services))),
            base_url="http://127.0.0.1",
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def script(
        self, request: httpx.Request, variable: Mapping[Any, str], *, known: set[UUID]
    ) -> str:
        """The statements with `variable`'s values replaced by expressions. Ids that are neither
        there nor `known` are new ones, and numbered anew in each run of the script.

        Raises: RuntimeError when the request is refused.
        """
        statements: list[tuple[str, tuple[Any, ...]]] = []
        with self._noting(statements):
            answer = await self._client.send(request)
        if answer.status_code >= 300:
            raise RuntimeError(f"{request.url} was answered {answer.status_code}: {answer.text}")
        return _written(statements, {**variable, **_reference(answer)}, known)

    async def script_of(
        self, step: Awaitable[str], variable: Mapping[Any, str], *, known: set[UUID]
    ) -> str:
        """The same of a command that no request gives. `step` returns its order's reference."""
        statements: list[tuple[str, tuple[Any, ...]]] = []
        with self._noting(statements):
            reference = await step
        return _written(statements, {**variable, reference: A_REFERENCE}, known)

    def request(self, method: str, path: str, **more: Any) -> httpx.Request:
        return self._client.build_request(method, path, **more)

    @contextmanager
    def _noting(self, statements: list[tuple[str, tuple[Any, ...]]]) -> Iterator[None]:
        def execute(
            conn: Any, _cursor: Any, statement: str, given: Any, _x: Any, many: bool
        ) -> None:
            # What goes along with BEGIN is still to be said when the first statement is noted.
            if opening := conn.connection.driver_connection.opening:
                statements.append((opening, ()))
            rows = given if many else [given]
            statements.extend((statement, tuple(row or ())) for row in rows)

        def begin(_connection: Any) -> None:
            statements.append(("BEGIN", ()))

        def commit(_connection: Any) -> None:
            statements.append(("COMMIT", ()))

        listeners: dict[str, Callable[..., None]] = {
            "before_cursor_execute": execute,
            "begin": begin,
            "commit": commit,
            "rollback": commit,
        }
        for name, listener in listeners.items():
            event.listen(self._engine, name, listener)
        try:
            yield
        finally:
            for name, listener in listeners.items():
                event.remove(self._engine, name, listener)


def _reference(answer: httpx.Response) -> dict[Any, str]:
    """The code that an order gets by chance, for there can be one of it only."""
    if "json" not in answer.headers.get("content-type", ""):
        return {}
    reference = answer.json().get("reference")
    return {reference: A_REFERENCE} if reference else {}


def _written(
    statements: list[tuple[str, tuple[Any, ...]]], variable: dict[Any, str], known: set[UUID]
) -> str:
    lines = ["\\set n :n + 1", "\\set id :run + :client_id * 10000000 + :n"]
    lines.append("\\set at random(1, :most)")
    fresh = 0
    for _statement, given in statements:
        for value in given:
            if isinstance(value, UUID) and value not in known and value not in variable:
                fresh += 1
                variable[value] = numbered_uuid(f":id::bigint * 32 + {fresh}")
    lines += [_with_values(statement, given, variable) for statement, given in statements]
    return "\n".join(lines) + "\n"


def numbered_uuid(number: str) -> str:
    """An id made of a number, as an expression."""
    return f"lpad(to_hex(({number})::bigint), 32, '0')::uuid"


def _with_values(statement: str, given: tuple[Any, ...], variable: dict[Any, str]) -> str:
    """The highest numbers first, since $1 is the beginning of $10."""
    written = " ".join(statement.split())
    events = written.partition("INSERT INTO outbox")[2]
    for number in range(len(given), 0, -1):
        value = given[number - 1]
        if isinstance(value, datetime) and f"${number}:" in events:
            literal = FAR_AWAY
        elif isinstance(value, str | UUID) and value in variable:
            literal = f"({variable[value]})"
        else:
            literal = _literal(value)
        written = written.replace(f"${number}", literal)
    return written + ";"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, UUID | date | datetime):
        return f"'{value}'"
    if isinstance(value, list):
        # Documents are text by now, so this is an array, and the statement says of what.
        return f"ARRAY[{', '.join(_literal(one) for one in value)}]"
    if not isinstance(value, str):
        value = msgspec.json.encode(value).decode()
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{escaped}'"
