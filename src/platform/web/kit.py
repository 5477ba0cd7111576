"""The web kit put together: one object that the composition root makes and the app carries.

kit = WebKit.from_settings(settings, redis=redis, clock=clock)
kit.page_context_provider(provide_navigation)
kit.render_error_with(PlanLimitReached, upgrade_panel)
app = Litestar(
    route_handlers=[..., *kit.route_handlers],
    middleware=[*kit.middleware, ...],
    exception_handlers=kit.exception_handlers,
    logging_config=None,
)
kit.attach(app)
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from litestar import Litestar
from redis.asyncio import Redis

from src.platform.clock import Clock
from src.platform.config import Settings
from src.platform.web.assets import Assets, static_file
from src.platform.web.cookies import Cookies
from src.platform.web.csrf import CsrfMiddleware, CsrfTokens
from src.platform.web.edge import Edge
from src.platform.web.errors import ErrorRenderer, exception_handlers
from src.platform.web.flash import FlashCodec
from src.platform.web.health import Check, healthz, metrics, readyz
from src.platform.web.pages import PageContextProvider, make_environment
from src.platform.web.returning import pages_among
from src.platform.web.security import SecurityHeaders, TrustedProxies, payment_page_origins
from src.platform.web.sessions import SessionStore

ROOT = Path(__file__).resolve().parents[3]


@lru_cache(maxsize=4)
def _environment(templates: Path, watch_files: bool) -> Environment:
    """Shared by the apps of one process: compiling the templates is most of an app's first page."""
    return make_environment(templates, watch=watch_files)


class WebKit:
    """Everything that answers have in common."""

    def __init__(
        self,
        *,
        redis: Redis,
        clock: Clock,
        secret_keys: Sequence[str],
        secure: bool,
        templates: Path = ROOT / "templates",
        static: Path = ROOT / "static",
        form_action_origins: Sequence[str] = (),
        trusted_proxies: Sequence[str] = (),
        metrics_token: str | None = None,
        metrics_need_token: bool = False,
        watch_files: bool = False,
    ) -> None:
        self.environment = _environment(templates, watch_files)
        self.assets = Assets(static, watch=watch_files)
        self.cookies = Cookies(secure)
        self.csrf_tokens = CsrfTokens(secret_keys)
        self.flash_codec = FlashCodec(secret_keys)
        self.sessions = SessionStore(redis, clock)
        self.guest_sessions = SessionStore(redis, clock, namespace="guest-")
        self.security_headers = SecurityHeaders(
            secure=secure, form_action_origins=form_action_origins
        )
        self.trusted_proxies = TrustedProxies(trusted_proxies)
        self.metrics_token = metrics_token
        self.metrics_need_token = metrics_need_token
        self.readiness_checks: dict[str, Check] = {"valkey": self._valkey_answers}
        self._redis = redis
        self.page_context_providers: list[PageContextProvider] = []
        self.error_renderers: dict[type[Exception], ErrorRenderer] = {}
        self.route_handlers: list[Any] = [healthz, readyz, metrics, static_file]
        self.middleware: list[Any] = [CsrfMiddleware(self.csrf_tokens)]
        self.exception_handlers: Any = exception_handlers()
        self.addresses_of_pages: frozenset[str] = frozenset()
        """The templates of all addresses that answer GET; known once the app is there."""

    async def _valkey_answers(self) -> None:
        await self._redis.ping()

    @classmethod
    def from_settings(
        cls, settings: Settings, *, redis: Redis, clock: Clock, **others: Any
    ) -> "WebKit":
        return cls(
            redis=redis,
            clock=clock,
            secret_keys=settings.secret_keys,
            secure=settings.cookie_secure,
            form_action_origins=payment_page_origins(settings),
            trusted_proxies=settings.trusted_proxies,
            metrics_token=settings.metrics_token,
            metrics_need_token=settings.environment == "production",
            **others,
        )

    def page_context_provider(self, provider: PageContextProvider) -> PageContextProvider:
        """Registers what gives pages their `tenant`, `user`, `nav`, `banner`, `theme_href`.

        It is asked once for a page, when a template first wants one of them, and must not do I/O:
        what it gives was loaded by middleware before.
        """
        self.page_context_providers.append(provider)
        return provider

    def render_error_with(self, kind: type[Exception], renderer: ErrorRenderer) -> None:
        """Registers a page of its own for a kind of error; None from it means the usual one."""
        self.error_renderers[kind] = renderer

    def readiness_check(self, name: str, check: Check) -> None:
        """Registers something that /readyz has to find working, such as the database."""
        self.readiness_checks[name] = check

    def attach(self, app: Litestar) -> None:
        """Puts the edge around the app; call once, when the app is made."""
        app.state.web = self
        self.addresses_of_pages = pages_among(app.routes)
        app.asgi_handler = Edge(app.asgi_handler, self)
