"""Events: facts in the past tense, and who wants to hear of them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    from src.platform.jobs.context import JobContext, JobsTogether


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that happened in one tenant. Carries ids and plain values, never rows.

    A job that recorded one that `follows` delivers it itself after its commit, without waiting for
    the relay: for what is short and certain to come next.
    """

    topic: ClassVar[str]
    follows: ClassVar[bool] = False


Consumer = Callable[["JobContext", Any], Awaitable[None]]
ConsumerOfSeveral = Callable[["JobsTogether", Sequence[Any]], Awaitable[None]]


class Registry:
    """Who consumes which event; filled by the composition root, read by writer and worker.

    Each consumer of an event gets an outbox row of its own, so that one failing consumer neither
    holds up nor repeats another.
    """

    def __init__(self) -> None:
        self._consumers: dict[str, dict[str, Consumer | ConsumerOfSeveral]] = {}
        self._of_several: set[tuple[str, str]] = set()
        self._types: dict[str, type[Event]] = {}

    def on(self, event: type[Event], name: str, consumer: Consumer) -> None:
        """Subscribes `consumer` under a name that must stay stable: rows in flight carry it."""
        self._types[event.topic] = event
        self._consumers.setdefault(event.topic, {})[name] = consumer

    def on_several(self, event: type[Event], name: str, consumer: ConsumerOfSeveral) -> None:
        """As `on`, for a consumer that takes all rows which a worker has at hand, in one go."""
        self._of_several.add((event.topic, name))
        self._types[event.topic] = event
        self._consumers.setdefault(event.topic, {})[name] = consumer

    def names(self, topic: str) -> tuple[str, ...]:
        return tuple(self._consumers.get(topic, ()))

    def takes_several(self, topic: str, name: str) -> bool:
        return (topic, name) in self._of_several

    def consumer(self, topic: str, name: str) -> Callable[[Any, Any], Awaitable[None]]:
        """Raises: KeyError when a row outlived its consumer."""
        return self._consumers[topic][name]

    def event(self, topic: str, payload: dict[str, Any]) -> Event:
        """The event behind an outbox row. Raises: KeyError, msgspec.ValidationError."""
        return msgspec.convert(payload, self._types[topic], strict=False)


registry = Registry()
