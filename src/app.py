"""The web application: where settings become pages."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar
from litestar.di import Provide
from litestar.plugins.htmx import HTMXPlugin
from sqlalchemy import text

from src.platform.config import load_settings
from src.platform.observability import configure_logging
from src.platform.services import Services
from src.platform.tracing import tracing_plugins
from src.platform.web.kit import WebKit
from src.running import open_services, settle_in
from src.tenants.web.middleware import ContextMiddleware, provide_context
from src.wiring import install_web, route_handlers, wire

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def create_app() -> Litestar:
    """The program from the environment, as the server's entry point wants it."""
    settings = load_settings(os.environ)
    configure_logging(settings)
    running = open_services(settings)

    @asynccontextmanager
    async def closing(app: Litestar) -> AsyncIterator[None]:
        settle_in()
        try:
            yield
        finally:
            await running.close()

    return build_app(running.services, lifespan=[closing])


def build_app(services: Services, *, lifespan: list[Lifespan] | None = None) -> Litestar:
    """The application over given services; tests hand in theirs.

    HTMXPlugin comes first since it overwrites the signature types of plugins before it.
    """
    wire()
    kit = WebKit.from_settings(services.settings, redis=services.redis, clock=services.clock)
    kit.readiness_check("database", lambda: _database_answers(services))
    install_web(kit, services)
    app = Litestar(
        route_handlers=[*route_handlers(), *kit.route_handlers],
        middleware=[*kit.middleware, ContextMiddleware(services)],
        exception_handlers=kit.exception_handlers,
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "ctx": Provide(provide_context, sync_to_thread=False),
        },
        plugins=[HTMXPlugin(), *tracing_plugins(services.settings)],
        lifespan=lifespan or [],
        logging_config=None,
        openapi_config=None,
        debug=False,
    )
    app.state.services = services
    kit.attach(app)
    return app


async def _database_answers(services: Services) -> None:
    async with services.uow_factory(None) as uow:
        await uow.session.execute(text("SELECT 1"))
