"""The pages about plans and the platform admin's desk, as the package hands them on."""

from litestar import Router

from src.platform.errors import PlanLimitReached
from src.platform.web.kit import WebKit
from src.tenants.web import (
    admin_bolt_ons,
    admin_home,
    admin_plans,
    admin_requests,
    admin_tenant_bolt_ons,
    admin_tenant_plan,
    admin_tenants,
    bolt_on_page,
    plan_page,
    public,
)
from src.tenants.web.admin_navigation import provide_admin_navigation
from src.tenants.web.guards import requires_platform_admin
from src.tenants.web.upgrade_panel import render_plan_limit

admin_router = Router(
    path="/admin",
    guards=[requires_platform_admin],
    route_handlers=[
        admin_home.show_desk,
        admin_home.show_log,
        admin_plans.show_plans,
        admin_plans.show_plan,
        admin_plans.show_editor,
        admin_plans.save_plan,
        admin_bolt_ons.show_bolt_ons,
        admin_bolt_ons.show_one_bolt_on,
        admin_bolt_ons.show_bolt_on_editor,
        admin_bolt_ons.save_bolt_on,
        admin_tenants.show_tenants,
        admin_tenants.show_tenant,
        admin_tenants.ask_about_status,
        admin_tenants.change_status,
        admin_tenant_plan.ask_about_move,
        admin_tenant_plan.make_move,
        admin_tenant_plan.show_grant_form,
        admin_tenant_plan.give_grant,
        admin_tenant_plan.ask_about_removal,
        admin_tenant_plan.take_grant,
        admin_tenant_bolt_ons.ask_about_giving,
        admin_tenant_bolt_ons.give,
        admin_tenant_bolt_ons.ask_about_taking,
        admin_tenant_bolt_ons.take,
        admin_requests.show_requests,
        admin_requests.ask_for_answer,
        admin_requests.decline,
    ],
)

plan_handlers = [
    public.show_front_page,
    plan_page.show_own_plan,
    plan_page.show_plan_change,
    plan_page.ask_for_plan,
    bolt_on_page.show_bolt_on,
    bolt_on_page.ask_for_bolt_on,
    bolt_on_page.ask_about_own_removal,
    bolt_on_page.remove_own_bolt_on,
    admin_router,
]


def install_plan_pages(kit: WebKit) -> None:
    """Gives the desk its navigation, and refusals by plan their panel."""
    kit.page_context_provider(provide_admin_navigation)
    kit.render_error_with(PlanLimitReached, render_plan_limit)
