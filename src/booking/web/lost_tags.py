"""A word to whoever takes away what credits are good for: the last of a tag, or a service."""

from collections.abc import Collection
from uuid import UUID

from src.booking.queries.packages import find_needing, find_tags_in_use
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


async def warn_of_service_off(
    request: AnyRequest, services: Services, ctx: RequestContext, service_id: UUID, name: str
) -> None:
    """For a service that was just switched off and stays so; packages and credits stay as they
    are.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        names = await find_needing(uow, service_id)
    if names:
        said = _(
            "“%(service)s” is switched off, but these credits are good for it: %(names)s. Until it"
            " is on again, they find no date of it.",
            service=name,
            names=", ".join(f"“{one}”" for one in names),
        )
        flash(request, "warning", said)
