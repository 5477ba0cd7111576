"""The stylesheet with a business's colour."""

from litestar import Response, get
from litestar.di import NamedDependency

from src.platform.web.theme import accent_css, theme_version
from src.tenants.context import RequestContext, TenantSnapshot

A_YEAR = "public, max-age=31536000, immutable"


@get(
    "/b/{slug:str}/theme.css",
    opt={
        "public": "The colour of a business is on its public pages.",
        "quiet": True,
        "while_suspended": True,
    },
    include_in_schema=False,
)
async def show_theme(ctx: NamedDependency[RequestContext]) -> Response[bytes]:
    """Kept by browsers for good: its address changes with the colour."""
    css = accent_css(ctx.here.brand_color)
    return Response(
        css.encode(), media_type="text/css; charset=utf-8", headers={"cache-control": A_YEAR}
    )


def theme_href(tenant: TenantSnapshot) -> str:
    """Where pages of the business have its colour from; changes with the colour."""
    return f"/b/{tenant.slug}/theme.css?v={theme_version(tenant.brand_color)}"


route_handlers = [show_theme]
