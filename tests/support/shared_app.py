"""One application for all tests of a process: making it costs more than most tests that use it.

The application is given services that look up the running test's own at every use.
"""

from functools import lru_cache
from typing import Any

from litestar import Litestar

from src.platform.services import Services

PARTS = ("settings", "clock", "uow_factory", "redis", "mailer", "limiter")


class Now:
    """The services of the test that runs now."""

    services: Services | None = None


class _Part:
    """Stands for one part of the services, such as the clock, of whichever test runs now."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_current(), self._name), name)

    def __call__(self, *arguments: Any) -> Any:
        return getattr(_current(), self._name)(*arguments)


class _Ports(dict[type[Any], object]):
    """The ports of the running test."""

    def __getitem__(self, kind: type[Any]) -> object:
        return _current().ports[kind]


def _current() -> Services:
    assert Now.services is not None, "no test has said which services are its own"
    return Now.services


def app_for(services: Services, *more: Any) -> Litestar:
    """The shared application, from now on over these services; with `more` routes it is another
    one, shared by all who name the same.
    """
    Now.services = services
    return _app(more)


@lru_cache(maxsize=2)
def _app(more: tuple[Any, ...]) -> Litestar:
    # Imported here: pure tests start without the whole program.
    from src.app import build_app

    parts: list[Any] = [_Part(name) for name in PARTS]
    app = build_app(Services(*parts, _Ports()))
    for handler in more:
        app.register(handler)
    return app
