"""From a template and one view struct to an answer: the whole page, or the part HTMX asked for."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context
from litestar import MediaType, Request, Response
from markupsafe import Markup

from src.platform.i18n import counted, current_locale, jinja_callables
from src.platform.web.compression import CompressedParts, accepts_gzip
from src.platform.web.exchange import exchange_of
from src.platform.web.flash import Flash, Level
from src.platform.web.formats import FILTERS
from src.platform.web.returning import found_again_at

AnyRequest = Request[Any, Any, Any]
PageContextProvider = Callable[[AnyRequest], Mapping[str, Any]]

CSRF_PLACEHOLDER = "csrf-token-goes-here"
VARY = "HX-Request, Accept-Language, Cookie"


def make_environment(templates: Path, watch: bool = False) -> Environment:
    """Jinja for our templates: undefined names fail, all but plain text is escaped."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        auto_reload=watch,
        cache_size=-1,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(**jinja_callables(), newstyle=True)  # type: ignore[attr-defined]  # added by the i18n extension
    for name in ("gettext", "ngettext", "pgettext", "npgettext"):
        environment.globals[name] = _counting(environment.globals[name])
    environment.filters.update(FILTERS)
    return environment


def _counting(text: Any) -> Any:
    """Jinja's function, filling numbers in as the locale writes them, as Python's texts do."""

    @pass_context
    def filled(context: Context, /, *message: Any, **values: Any) -> Any:
        if isinstance(message[-1], int):
            values.setdefault("num", message[-1])
        return text(context, *message, **counted(values))

    return filled


class PageContext:
    """What every template gets as `page`, besides its own `view`.

    All of it is worked out when a template asks. `tenant`, `user`, `nav`, `banner` and `theme_href`
    come from the providers that packages register (`kit.page_context_provider`); where none gives
    one, it is None (`nav`: an empty list).
    """

    __slots__ = (
        "_again_with",
        "_cache_policy",
        "_exchange",
        "_is_to_be_sent_again",
        "_provided",
        "_request",
        "_token",
        "is_htmx",
        "locale",
        "path",
    )

    def __init__(
        self,
        request: AnyRequest,
        csrf_token: str | None = None,
        *,
        cache_policy: str | None = None,
        is_to_be_sent_again: bool = False,
        again_with: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`is_to_be_sent_again`: whether loading the page anew should send the form once more.
        `again_with` is the query with which it is found by GET.
        """
        self._request = request
        self._exchange = exchange_of(request.scope)
        self._provided: dict[str, Any] | None = None
        self._token = csrf_token
        self._cache_policy = cache_policy
        self._is_to_be_sent_again = is_to_be_sent_again
        self._again_with = again_with
        self.locale = current_locale()
        self.path: str = request.scope["path"]
        self.is_htmx = self._exchange.is_htmx

    @property
    def csrf_token(self) -> str:
        """For a header of HTMX (`X-CSRF-Token`); forms use `csrf_input`."""
        return self._exchange.csrf_token if self._token is None else self._token

    @property
    def csrf_input(self) -> Markup:
        return Markup('<input type="hidden" name="_csrf_token" value="%s">') % self.csrf_token

    @property
    def flashes(self) -> list[Flash]:
        """(level, text) pairs to show now; asking takes them, so ask once in a page."""
        return self._exchange.take_flashes()

    @property
    def request_id(self) -> str:
        return self._exchange.request_id

    @property
    def found_again_at(self) -> str | None:
        """Where the browser gets the answer to a form by GET; None where it is not to ask."""
        if self._is_to_be_sent_again:
            return None
        return found_again_at(self._request.scope, self._cache_policy, self._again_with)

    def asset(self, path: str) -> str:
        """The address of a static file, with the version of its content."""
        return self._exchange.kit.assets.url(path)

    @property
    def tenant(self) -> Any:
        return self._from_providers("tenant")

    @property
    def user(self) -> Any:
        return self._from_providers("user")

    @property
    def nav(self) -> Any:
        return self._from_providers("nav") or []

    @property
    def banner(self) -> Any:
        return self._from_providers("banner")

    @property
    def theme_href(self) -> Any:
        return self._from_providers("theme_href")

    def _from_providers(self, name: str) -> Any:
        if self._provided is None:
            self._provided = {}
            for provide in self._exchange.kit.page_context_providers:
                self._provided.update(provide(self._request))
        return self._provided.get(name)


def page(
    request: AnyRequest,
    template: str,
    view: Any,
    *,
    fragment: str | None = None,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    again_with: Sequence[tuple[str, str]] = (),
) -> Response[bytes]:
    """The template rendered with `view` and `page`.

    Where a `fragment` template is given, HTMX gets that one alone, unless it boosts a link or
    restores its history. The answer varies by who asks how. `again_with` is the query with which
    the answer to a form is found by GET, where what was chosen stands in fields of the form.
    """
    exchange = exchange_of(request.scope)
    name = fragment if fragment is not None and exchange.wants_fragment else template
    policy = (headers or {}).get("cache-control")
    context = PageContext(request, cache_policy=policy, again_with=again_with)
    body = render(exchange.kit.environment, name, context, view=view)
    return html_response(body, status_code, headers)


def render(environment: Environment, template: str, context: PageContext, **names: Any) -> bytes:
    return environment.get_template(template).render(page=context, **names).encode()


def html_response(
    body: bytes, status_code: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    return Response(
        body,
        media_type=MediaType.HTML,
        status_code=status_code,
        headers={"vary": VARY, **(headers or {})},
    )


class CachedPage:
    """A rendered page that many visitors are shown, with a place for each one's token.

    For public pages without anything personal: the caller decides for how long it is right, and
    keeps one for each locale. `respond` costs a copy of the bytes, compressed ones where the
    browser takes them, instead of a rendering.
    """

    __slots__ = ("_has_token", "_parts")

    def __init__(self, body: bytes) -> None:
        parts = body.split(CSRF_PLACEHOLDER.encode())
        self._has_token = len(parts) > 1
        self._parts = CompressedParts(parts)

    @property
    def size(self) -> int:
        """In bytes of memory, about."""
        return self._parts.size

    def respond(
        self, request: AnyRequest, headers: Mapping[str, str] | None = None
    ) -> Response[bytes]:
        token = exchange_of(request.scope).csrf_token.encode() if self._has_token else b""
        if not accepts_gzip(request.scope):
            return html_response(self._parts.plain(token), 200, headers)
        encoded = {"vary": f"{VARY}, Accept-Encoding", "content-encoding": "gzip"}
        return html_response(self._parts.gzipped(token), 200, {**(headers or {}), **encoded})


def cacheable_page(request: AnyRequest, template: str, view: Any) -> CachedPage:
    """Renders once for `CachedPage.respond`; ask `may_be_cached` first."""
    context = PageContext(request, csrf_token=CSRF_PLACEHOLDER)
    return CachedPage(
        render(exchange_of(request.scope).kit.environment, template, context, view=view)
    )


def may_be_cached(request: AnyRequest) -> bool:
    """Whether this visitor is shown what everybody is: the whole page, and no message waiting.

    Who is signed in may have just published something, and has to see it.
    """
    exchange = exchange_of(request.scope)
    waiting = exchange.cookie("flash"), exchange.cookie("session")
    return not exchange.is_htmx and waiting == (None, None)


def redirect(request: AnyRequest, url: str) -> Response[bytes]:
    """Sends the browser to `url` with GET: 303, or for HTMX the header that makes it go there."""
    if exchange_of(request.scope).is_htmx:
        return Response(
            b"", status_code=200, media_type=MediaType.HTML, headers={"HX-Redirect": url}
        )
    return Response(b"", status_code=303, media_type=MediaType.HTML, headers={"location": url})


def flash(request: AnyRequest, level: Level, text: str) -> None:
    """Shows the text once, on the page that answers now or on the one after a redirect."""
    exchange_of(request.scope).flash(level, text)


def safe_next(url: str | None, default: str = "/") -> str:
    """A `url` that came with the request, if it stays on this site; else `default`."""
    if not url or not url.startswith("/") or url.startswith(("//", "/\\")):
        return default
    if any(ord(character) < 0x21 or character == "\\" for character in url):
        return default
    parts = urlsplit(url)
    return url if not parts.scheme and not parts.netloc else default
