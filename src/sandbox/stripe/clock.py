"""The stand-in's time, which a knob can move so that nobody waits half an hour for an expiry."""

from collections.abc import Callable

from src.sandbox.stripe.store import Store

_SETTING = "clock_offset_seconds"


class SandboxClock:
    """The base clock plus an offset that survives a restart."""

    def __init__(self, base: Callable[[], float], store: Store) -> None:
        self._base = base
        self._store = store
        self._offset_seconds = float(store.setting(_SETTING) or 0.0)

    def now(self) -> int:
        """Epoch seconds, whole, as all times of the API are."""
        return int(self._base() + self._offset_seconds)

    def advance(self, seconds: float) -> None:
        self._offset_seconds += seconds
        self._store.set_setting(_SETTING, self._offset_seconds)

    def move_to(self, at: float) -> None:
        self.advance(at - (self._base() + self._offset_seconds))
