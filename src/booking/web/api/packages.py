"""Packages of credits over the API, as the booking page shows them."""

from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.api_packages import get_package_out, list_packages_out
from src.booking.views.api_packages import PackageList, PackageOut
from src.booking.web.api.refusals import refusals
from src.platform.services import Services
from src.tenants.context import RequestContext


@get("/packages", summary="List the packages on sale", responses=refusals())
async def api_list_packages(
    services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> PackageList:
    """What guests find on the page of packages, in its order."""
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_packages_out(uow, ctx.here, services.settings.base_url)
    return PackageList(items=found)


@get("/packages/{package_id:uuid}", summary="Get a package", responses=refusals(404))
async def api_get_package(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> PackageOut:
    """Also one that only its link leads to."""
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_package_out(uow, ctx.here, services.settings.base_url, package_id)


route_handlers = [api_list_packages, api_get_package]
