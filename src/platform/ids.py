"""Identifiers: UUIDv7, so that rows written together lie together and sort by time of creation."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A fresh UUIDv7; monotonic within a process, unguessable in its random part."""
    return uuid7()
