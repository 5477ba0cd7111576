"""/app/<slug>/settings/branding: the one colour of the business, looked at before it is kept."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.platform.web.theme import accent_css, is_accent, shown_accents
from src.tenants.commands.settings import change_accent
from src.tenants.context import RequestContext
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs

_SHORT = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])", re.ASCII)


class AccentForm(msgspec.Struct):
    """The colour twice, as text and from the picker; `shown` is what both said at first."""

    brand_color: Annotated[str, Meta(max_length=20)] = ""
    picked: Annotated[str, Meta(max_length=20)] = ""
    shown: Annotated[str, Meta(max_length=20)] = ""
    step: Literal["save", "look"] = "save"

    @property
    def chosen(self) -> str:
        """What was typed; if that is as it was and another colour was picked, that one."""
        typed, picked, shown = map(long_hex, (self.brand_color, self.picked, self.shown))
        return picked if typed == shown and picked else typed


class BrandingView(msgspec.Struct, frozen=True, kw_only=True):
    """The colour, where it is looked at, and what light and dark pages make of it."""

    tabs: list[Tab]
    form: Any
    name: str
    picker: str
    look_href: str | None
    light: str
    dark: str


@get("/app/{slug:str}/settings/branding", guards=MAY_SET, include_in_schema=False)
async def show_branding(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return _branding(request, ctx, _filled(ctx.here.brand_color), ctx.here.brand_color)


@post("/app/{slug:str}/settings/branding", guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_branding(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    """Keeps the colour, or shows the whole page in it without keeping it."""
    form = bind(AccentForm, await read_form(request))
    if form.struct is None:
        return _branding(request, ctx, form, ctx.here.brand_color, 422)
    accent = form.struct.chosen
    if form.struct.step == "look" and is_accent(accent):
        return _branding(request, ctx, _filled(accent), accent)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_accent(uow, ctx, accent)
    except InvalidInput as refusal:
        return _branding(request, ctx, form.refused(refusal), ctx.here.brand_color, 422)
    flash(request, "success", _("Your colour is saved. Guests see it at once."))
    return redirect(request, settings_path(ctx, "branding"))


@get("/app/{slug:str}/settings/accent.css", guards=MAY_SET, include_in_schema=False)
async def show_accent(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The stylesheet of a colour that nobody has kept yet. Raises: NotFound for no colour."""
    accent = request.query_params.get("color", "")
    if not is_accent(accent):
        raise NotFound(_("There is nothing here."))
    css = accent_css(accent).encode()
    return Response(
        css, media_type="text/css; charset=utf-8", headers={"cache-control": "private, max-age=600"}
    )


def long_hex(text: str) -> str:
    """A typed colour in the picker's spelling, #rrggbb; what is no colour stays as typed."""
    plain = text.strip().lower()
    with_sign = plain if plain.startswith("#") else f"#{plain}"
    if not is_accent(with_sign):
        return plain
    short = _SHORT.fullmatch(with_sign)
    return "#" + "".join(digit * 2 for digit in short.groups()) if short else with_sign


def _filled(accent: str) -> Bound[AccentForm]:
    values = {"brand_color": accent, "picked": long_hex(accent), "shown": accent}
    return blank(AccentForm, values)


def _branding(
    request: AnyRequest,
    ctx: RequestContext,
    form: Bound[AccentForm],
    accent: str,
    status_code: int = 200,
) -> Response[bytes]:
    query = urlencode({"color": accent})
    is_look = accent != ctx.here.brand_color
    light, dark = shown_accents(accent)
    view = BrandingView(
        tabs=settings_tabs(ctx, "branding"),
        form=form,
        name=ctx.here.name,
        picker=long_hex(accent),
        look_href=f"{settings_path(ctx, 'accent.css')}?{query}" if is_look else None,
        light=light,
        dark=dark,
    )
    return page(request, "tenants/settings/branding.html", view, status_code=status_code)


route_handlers = [show_branding, save_branding, show_accent]
