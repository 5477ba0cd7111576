"""A word to whoever takes the last of a tag away while credits are still found by it."""

from collections.abc import Collection

from src.booking.queries.packages import find_tags_in_use
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import AnyRequest, flash
from src.tenants.context import RequestContext


async def warn_of_lost_tags(
    request: AnyRequest, services: Services, ctx: RequestContext, before: Collection[str]
) -> None:
    """What was saved stays saved; the packages keep their tags. `before` are those it had."""
    async with services.uow_factory(ctx.here.id) as uow:
        lost = await find_tags_in_use(uow, before)
    for tag, names in lost.items():
        said = _(
            "Nothing has the tag “%(tag)s” any more, but these credits are good for it: %(names)s."
            " They find no date by it.",
            tag=tag,
            names=", ".join(f"“{name}”" for name in names),
        )
        flash(request, "warning", said)
