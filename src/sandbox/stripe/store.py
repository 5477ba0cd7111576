"""Everything the stand-in remembers, in one SQLite file: objects, idempotency keys, deliveries.

All calls run on the one thread of the event loop and none of them awaits, so a transaction is
never interleaved with another. A kill keeps every committed row; only a power cut may lose some.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    private TEXT NOT NULL,
    expires_at INTEGER
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (account, kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent
    ON objects (json_extract(body, '$.payment_intent'), kind)
    WHERE json_extract(body, '$.payment_intent') IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_charge
    ON objects (json_extract(body, '$.charge'), kind)
    WHERE json_extract(body, '$.charge') IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_that_expire
    ON objects (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    last_answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event_id);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """What an idempotency key was answered with; `at` is in seconds of the stand-in's clock."""

    fingerprint: str
    at: int
    request_id: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list, newest first."""

    data: list[Obj]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list is wanted; `after` and `before` are ids, as Stripe's cursors are."""

    limit: int = 10
    after: str | None = None
    before: str | None = None


class Store:
    """The rows of one SQLite file, or of memory when no path is given."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._require_own_version(path)
        self._db.executescript(_SCHEMA)
        self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def _require_own_version(self, path: Path | None) -> None:
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, _VERSION):
            raise RuntimeError(f"{path} is of another version of this program; remove it.")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept together, or none of them when an exception leaves it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # Objects.

    def insert(self, account: str, object_id: str, obj: Obj, private: Obj | None = None) -> None:
        self._db.execute(
            "INSERT INTO objects (id, account, kind, created, body, private, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                object_id,
                account,
                obj["object"],
                obj.get("created", 0),
                _dump(obj),
                _dump(private),
                _expiry(obj),
            ),
        )

    def save(self, obj: Obj, private: Obj | None = None) -> None:
        self._db.execute(
            "UPDATE objects SET body = ?, expires_at = ? WHERE id = ?",
            (_dump(obj), _expiry(obj), obj["id"]),
        )
        if private is not None:
            self.save_private(obj["id"], private)

    def save_private(self, object_id: str, private: Obj) -> None:
        """What the stand-in keeps beside an object and never answers with."""
        self._db.execute("UPDATE objects SET private = ? WHERE id = ?", (_dump(private), object_id))

    def get(self, account: str, kind: str, object_id: str) -> Obj | None:
        row = self._db.execute(
            "SELECT body FROM objects WHERE id = ? AND account = ? AND kind = ?",
            (object_id, account, kind),
        ).fetchone()
        return None if row is None else _load(row[0])

    def private(self, object_id: str) -> Obj:
        row = self._db.execute("SELECT private FROM objects WHERE id = ?", (object_id,)).fetchone()
        return {} if row is None else _load(row[0])

    def locate(self, object_id: str) -> tuple[str, Obj] | None:
        """The owning account and the object, whatever account and kind it is."""
        row = self._db.execute(
            "SELECT account, body FROM objects WHERE id = ?", (object_id,)
        ).fetchone()
        return None if row is None else (row[0], _load(row[1]))

    def delete(self, object_id: str) -> None:
        self._db.execute("DELETE FROM objects WHERE id = ?", (object_id,))

    def page(self, account: str, kind: str, where: Obj, wanted: Slice) -> Page:
        """`where` maps a field, dots for nesting, to its value, a list of allowed values, or
        the bounds of `created`.
        """
        clauses, values = ["account = ?", "kind = ?"], [account, kind]
        for field, value in where.items():
            clause, parameters = _condition(field, value)
            clauses.append(clause)
            values.extend(parameters)
        backwards = wanted.before is not None
        if wanted.after or wanted.before:
            clauses.append(f"seq {'>' if backwards else '<'} {_SEQ_OF_ID}")
            values.append(wanted.before or wanted.after or "")
        rows = self._db.execute(
            # Only names written in this program are put in; all values are bound.
            f"SELECT body FROM objects WHERE {' AND '.join(clauses)} "  # noqa: S608  clauses of our own
            f"ORDER BY seq {'ASC' if backwards else 'DESC'} LIMIT {wanted.limit + 1}",
            values,
        ).fetchall()
        data = [_load(row[0]) for row in rows[: wanted.limit]]
        return Page(data[::-1] if backwards else data, len(rows) > wanted.limit)

    def every(self, account: str, kind: str, where: Obj) -> list[Obj]:
        """All that match, oldest first."""
        return self.page(account, kind, where, Slice(limit=10_000_000)).data[::-1]

    def latest(self, kind: str, limit: int) -> list[tuple[str, Obj]]:
        """The newest of a kind with their accounts, newest first."""
        rows = self._db.execute(
            "SELECT account, body FROM objects WHERE kind = ? ORDER BY seq DESC LIMIT ?",
            (kind, limit),
        ).fetchall()
        return [(account, _load(body)) for account, body in rows]

    def expired_sessions(self, now: int) -> list[tuple[str, Obj]]:
        """Open checkout sessions whose time has passed, with their accounts."""
        rows = self._db.execute(
            "SELECT account, body FROM objects WHERE expires_at <= ? ORDER BY expires_at",
            (now,),
        ).fetchall()
        return [(account, _load(body)) for account, body in rows]

    def totals(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a counting query over `objects`; see `state.py` for the questions."""
        return self._db.execute(query).fetchall()

    # Idempotency keys.

    def answer(self, account: str, key: str) -> SavedAnswer | None:
        row = self._db.execute(
            "SELECT fingerprint, at, request_id, status, body FROM answers "
            "WHERE account = ? AND key = ?",
            (account, key),
        ).fetchone()
        return None if row is None else SavedAnswer(*row)

    def save_answer(self, account: str, key: str, saved: SavedAnswer) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
            (account, key, saved.fingerprint, saved.at, saved.request_id, saved.status, saved.body),
        )

    # Deliveries of events; their times are wall-clock seconds, which no knob moves.

    def add_delivery(self, event_id: str, endpoint: str, due_at: float, state: str) -> None:
        self._db.execute(
            "INSERT INTO deliveries (event_id, endpoint, due_at, state) VALUES (?, ?, ?, ?)",
            (event_id, endpoint, due_at, state),
        )

    def due_deliveries(self, until: float, limit: int) -> list[tuple[int, str, int, str]]:
        """(delivery id, endpoint, attempts, the event as JSON), oldest first."""
        return self._db.execute(
            "SELECT d.id, d.endpoint, d.attempts, o.body FROM deliveries d "
            "JOIN objects o ON o.id = d.event_id "
            "WHERE d.state = 'pending' AND d.due_at <= ? ORDER BY d.due_at, d.id LIMIT ?",
            (until, limit),
        ).fetchall()

    def next_delivery_at(self) -> float | None:
        row = self._db.execute(
            "SELECT min(due_at) FROM deliveries WHERE state = 'pending'"
        ).fetchone()
        found: float | None = row[0]
        return found

    def mark_delivery(
        self, delivery_id: int, state: str, attempts: int, due_at: float, last_answer: str
    ) -> None:
        self._db.execute(
            "UPDATE deliveries SET state = ?, attempts = ?, due_at = ?, last_answer = ? "
            "WHERE id = ?",
            (state, attempts, due_at, last_answer, delivery_id),
        )

    def delivery_counts(self) -> dict[str, int]:
        return dict(
            self._db.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall()
        )

    # Settings.

    def setting(self, name: str) -> Any:
        row = self._db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set_setting(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))


_SEQ_OF_ID = "(SELECT seq FROM objects WHERE id = ?)"
_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _condition(field: str, value: Any) -> tuple[str, list[Any]]:
    if field == "created" and isinstance(value, dict):
        clauses = [f"created {_BOUNDS[bound]} ?" for bound in value]
        return " AND ".join(clauses), list(value.values())
    column = f"json_extract(body, '$.{field}')"
    if isinstance(value, list):
        return f"{column} IN ({', '.join('?' * len(value))})", value
    return f"{column} = ?", [value]


def _expiry(obj: Obj) -> int | None:
    """When an object ends by itself; only open checkout sessions do."""
    ends = obj["object"] == "checkout.session" and obj["status"] == "open"
    return obj["expires_at"] if ends else None


def _dump(obj: Obj | None) -> str:
    return json.dumps(obj or {}, separators=(",", ":"), ensure_ascii=False)


def _load(text: str) -> Obj:
    loaded: Obj = json.loads(text)
    return loaded
