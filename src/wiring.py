"""Where packages meet: models, consumers of events, ports, pages, periodic work."""

import importlib
from typing import Any

from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import MailQueued
from src.platform.mail.sender import send_queued_mails
from src.platform.outbox.events import registry
from src.platform.services import Services
from src.platform.web.kit import WebKit

MODEL_MODULES = (
    "src.platform.outbox.models",
    "src.platform.mail.models",
    "src.tenants.models",
    "src.billing.models",
    "src.booking.models",
)


PRUNE_SECONDS = 60
WEIGH_SECONDS = 60


def import_models() -> None:
    """Makes every table known to the metadata."""
    for module in MODEL_MODULES:
        importlib.import_module(module)


def wire() -> None:
    """Registers consumers, line kinds and meanings of constraints; harmless when called again."""
    import_models()
    _wire_tenants()
    _wire_billing()
    _wire_booking()
    _wire_minimums()
    _wire_booking_settings()
    _wire_words_to_guests()
    _wire_packages()
    _wire_offerings()
    _wire_waitlists()
    _wire_pruning()
    registry.on_several(MailQueued, "platform.send_mail", send_queued_mails)


def _wire_offerings() -> None:
    from src.billing.kept_packages import register_kept_packages
    from src.booking.group_mails import register_group_mail
    from src.booking.group_rows import register_groups_of_customers
    from src.booking.jobs import groups, worksheets
    from src.booking.queries.collection_consequences import collection_consequences
    from src.booking.queries.group_consequences import group_consequences
    from src.booking.queries.kept import kept_packages
    from src.booking.queries.worksheet_consequences import worksheet_consequences
    from src.booking.worksheet_mails import register_worksheet_mail
    from src.booking.worksheet_rows import register_worksheets_of_customers
    from src.tenants.queries.consequences import register_downgrade_probe

    register_kept_packages("collections", kept_packages)
    register_downgrade_probe("booking.collections", collection_consequences)
    groups.register(registry)
    register_groups_of_customers()
    register_group_mail()
    register_downgrade_probe("booking.groups", group_consequences)
    worksheets.register(registry)
    register_worksheets_of_customers()
    register_worksheet_mail()
    register_downgrade_probe("booking.worksheets", worksheet_consequences)


def _wire_tenants() -> None:
    from src.tenants import events
    from src.tenants import plan_events as happened
    from src.tenants.commands.mail_choices import register_mail_choices
    from src.tenants.jobs import account_mails, bolt_on_mails, portal_mails, team_mails
    from src.tenants.jobs import plan_mails as mails
    from src.tenants.log_subjects import register_own_log_subjects
    from src.tenants.own_customer_rows import register_own_customer_rows
    from src.tenants.portal_mails import register_portal_mail
    from src.tenants.web.portal_people import register_people_tab

    register_own_customer_rows()
    register_own_log_subjects()
    register_mail_choices()
    register_portal_mail()
    register_people_tab()
    registry.on(events.EmailToConfirm, "tenants.confirm", account_mails.send_confirmation_link)
    registry.on(events.PasswordForgotten, "tenants.reset", account_mails.send_reset_link)
    registry.on(events.SignUpAsked, "tenants.sign_up", account_mails.answer_sign_up)
    registry.on(events.PortalCodeAsked, "tenants.mail_code", portal_mails.mail_code)
    registry.on(events.OwnAddressAsked, "tenants.prove_address", portal_mails.prove_address)
    registry.on(events.OwnAddressChanged, "tenants.tell_former", portal_mails.tell_former_address)
    registry.on(events.MemberInvited, "tenants.invite", team_mails.send_invitation)
    registry.on(events.MemberChanged, "tenants.tell_member", team_mails.tell_member)
    registry.on(happened.MonthlyLimitNeared, "tenants.warn_of_limit", mails.warn_of_limit)
    registry.on(happened.EntitlementsEnded, "tenants.review_limit", mails.review_limit)
    registry.on(happened.PlanRequested, "tenants.tell_admins", mails.tell_admins_of_request)
    registry.on(
        happened.PlanRequestDeclined, "tenants.tell_declined", mails.tell_of_declined_request
    )
    registry.on(happened.TenantMoved, "tenants.tell_moved", mails.tell_of_move)
    registry.on(happened.BoltOnGiven, "tenants.tell_bolt_on", bolt_on_mails.tell_of_bolt_on)
    registry.on(happened.BoltOnRemoved, "tenants.tell_removal", bolt_on_mails.tell_of_removal)


def _wire_billing() -> None:
    from src.billing.commands.fees import FEE_LINE
    from src.billing.commands.package_lines import KIND as PACKAGE_KIND
    from src.billing.commands.package_lines import PackageLines
    from src.billing.commands.voucher_lines import VOUCHER_KIND, VoucherLines
    from src.billing.credit_act_mails import register_credit_act_mail
    from src.billing.credit_mails import register_credit_mails
    from src.billing.customer_rows import (
        register_credits_of_customers,
        register_fees_of_customers,
        register_money_of_customers,
        register_orders_of_customers,
    )
    from src.billing.fee_lines import FeeLines
    from src.billing.fee_mail_kinds import register_fee_mails
    from src.billing.jobs import register
    from src.billing.lines import register_line_kind
    from src.billing.log_subjects import register_log_subjects_of_billing
    from src.billing.mail_kinds import register_billing_mails
    from src.billing.portal_pages import register_money_on_portal
    from src.billing.queries.plan_consequences import (
        coupon_consequences,
        package_consequences,
        voucher_consequences,
    )
    from src.billing.queries.sold import (
        lock_currency_by_coupons,
        lock_currency_by_credits,
        lock_currency_by_sales,
        lock_currency_by_vouchers,
    )
    from src.billing.voucher_mail_kinds import register_voucher_mails
    from src.billing.voucher_rows import register_vouchers_of_customers
    from src.booking.guest_links import package_path
    from src.tenants.queries.consequences import register_downgrade_probe
    from src.tenants.queries.settings import register_currency_lock

    register(registry)
    register_line_kind(PACKAGE_KIND, PackageLines(package_path))
    register_line_kind(VOUCHER_KIND, VoucherLines())
    register_downgrade_probe("billing", coupon_consequences)
    register_downgrade_probe("billing.packages", package_consequences)
    register_downgrade_probe("billing.vouchers", voucher_consequences)
    register_billing_mails()
    register_fee_mails()
    register_line_kind(FEE_LINE, FeeLines())
    register_credit_act_mail()
    register_credit_mails()
    register_voucher_mails()
    register_money_on_portal()
    register_log_subjects_of_billing()
    register_orders_of_customers()
    register_credits_of_customers()
    register_fees_of_customers()
    register_money_of_customers()
    register_vouchers_of_customers()
    register_currency_lock("billing.sales", lock_currency_by_sales)
    register_currency_lock("billing.coupons", lock_currency_by_coupons)
    register_currency_lock("billing.credits", lock_currency_by_credits)
    register_currency_lock("billing.vouchers", lock_currency_by_vouchers)


def _wire_booking() -> None:
    from src.billing.events import OrderConfirmed
    from src.billing.lines import register_line_kind
    from src.booking.commands.holds import SeatLines
    from src.booking.customer_rows import register_bookings_of_customers
    from src.booking.events import (
        BookingReaddressed,
        CancellationRequested,
        CustomerAffected,
        HeldPlacesCancelled,
        LeavingAsked,
        LeavingDeclined,
        PaymentLinkPromised,
        SeatHandedOn,
        SeatsCancelled,
        SeatsLeft,
        SeatsMoved,
        SessionsChanged,
    )
    from src.booking.jobs.cancel import carry_out_cancellation
    from src.booking.jobs.changes import find_affected_customers, tell_affected_customer
    from src.booking.jobs.handing_on import tell_of_handing_on
    from src.booking.jobs.leave_requests import tell_of_asked_leaving
    from src.booking.jobs.tell import (
        tell_corrected_addresses,
        tell_of_cancelled_hold,
        tell_of_cancelled_seats,
        tell_of_confirmations,
        tell_of_declined_leaving,
        tell_of_left_seats,
        tell_of_moved_seats,
        tell_of_payment_link,
    )
    from src.booking.portal_pages import register_portal_pages
    from src.booking.queries.plan_consequences import plan_consequences
    from src.tenants.queries.consequences import register_downgrade_probe

    seats = SeatLines()
    register_line_kind("session", seats)
    register_line_kind("series", seats)
    register_bookings_of_customers()
    register_portal_pages()
    register_downgrade_probe("booking", plan_consequences)
    registry.on(CancellationRequested, "booking.cancel", carry_out_cancellation)
    registry.on_several(OrderConfirmed, "booking.tell_confirmed", tell_of_confirmations)
    registry.on_several(BookingReaddressed, "booking.tell_readdressed", tell_corrected_addresses)
    registry.on(PaymentLinkPromised, "booking.tell_link", tell_of_payment_link)
    registry.on(HeldPlacesCancelled, "booking.tell_held_cancelled", tell_of_cancelled_hold)
    registry.on_several(SeatsCancelled, "booking.tell_cancelled", tell_of_cancelled_seats)
    registry.on(SeatsLeft, "booking.tell_left", tell_of_left_seats)
    registry.on(LeavingAsked, "booking.tell_asked", tell_of_asked_leaving)
    registry.on(LeavingDeclined, "booking.tell_declined", tell_of_declined_leaving)
    registry.on(SeatsMoved, "booking.tell_moved", tell_of_moved_seats)
    registry.on(SeatHandedOn, "booking.tell_handed_on", tell_of_handing_on)
    registry.on(SessionsChanged, "booking.find_affected", find_affected_customers)
    registry.on(CustomerAffected, "booking.tell_changed", tell_affected_customer)


def _wire_minimums() -> None:
    from src.booking.events import MinimumMissed, SessionCancelled
    from src.booking.jobs.minimum import ask_about_minimum, tell_of_calling_off

    registry.on(MinimumMissed, "booking.ask_about_minimum", ask_about_minimum)
    registry.on(SessionCancelled, "booking.tell_called_off", tell_of_calling_off)


def _wire_booking_settings() -> None:
    """What a change of the business's own settings means for what is booked."""
    from src.booking.commands.location_changes import follow_location
    from src.booking.jobs.zone_change import follow_zone_change
    from src.booking.log_subjects import register_log_subjects_of_booking
    from src.booking.queries.for_settings import (
        guests_at,
        lock_currency_by_prices,
        upcoming_dates,
    )
    from src.booking.queries.performer_work import work_of_performer
    from src.tenants.commands.catalogue import register_location_follower
    from src.tenants.events import TimezoneChanged
    from src.tenants.queries.performer_work import register_performer_work
    from src.tenants.queries.settings import (
        register_currency_lock,
        register_location_guests,
        register_timezone_preview,
    )

    register_log_subjects_of_booking()
    registry.on(TimezoneChanged, "booking.follow_zone_change", follow_zone_change)
    register_currency_lock("booking.prices", lock_currency_by_prices)
    register_timezone_preview("booking.sessions", upcoming_dates)
    register_performer_work("booking.sessions", work_of_performer)
    register_location_guests("booking.sessions", guests_at)
    register_location_follower("booking.sessions", follow_location)


def _wire_words_to_guests() -> None:
    """What a business writes in its own words."""
    from src.booking.calendar_mails import register_calendar_mail
    from src.booking.commands.broadcasts import register_broadcasts_of_customers
    from src.booking.events import (
        BroadcastTried,
        BroadcastWaiting,
        CalendarAsked,
        GuestWrittenTo,
    )
    from src.booking.held_mail_kind import register_held_mail
    from src.booking.jobs.broadcast import send_next_chunk, send_trial
    from src.booking.jobs.calendar_link import send_calendar_link
    from src.booking.jobs.messages import send_message
    from src.booking.mail_kinds import register_booking_mails
    from src.booking.place_mail_kinds import register_place_mails

    register_booking_mails()
    register_held_mail()
    register_place_mails()
    register_calendar_mail()
    register_broadcasts_of_customers()
    registry.on(CalendarAsked, "booking.send_calendar_link", send_calendar_link)
    registry.on(BroadcastWaiting, "booking.broadcast", send_next_chunk)
    registry.on(BroadcastTried, "booking.broadcast_trial", send_trial)
    registry.on(GuestWrittenTo, "booking.send_message", send_message)


def _wire_packages() -> None:
    """Billing sells them; what they are good for, and where they are used, booking tells."""
    from src.billing.events import PackageBought, PackageLapsed
    from src.booking.jobs.packages import tell_of_lapse, tell_of_package
    from src.booking.package_mails import register_package_mails

    register_package_mails()
    registry.on(PackageBought, "booking.tell_package", tell_of_package)
    registry.on(PackageLapsed, "booking.tell_package_lapsed", tell_of_lapse)


def _wire_waitlists() -> None:
    from src.booking import events
    from src.booking.jobs import waitlist, waitlist_moves
    from src.booking.queries.refund_consequences import refund_consequences
    from src.booking.queries.waitlist_consequences import waitlist_consequences
    from src.booking.waitlist_mail_kinds import register_waitlist_mails
    from src.tenants.queries.consequences import register_downgrade_probe

    register_waitlist_mails()
    register_downgrade_probe("booking.waitlist", waitlist_consequences)
    register_downgrade_probe("booking.refunds", refund_consequences)
    registry.on(events.PlacesFreed, "booking.serve_waitlists", waitlist.serve_freed)
    registry.on(events.WaitlistJoined, "booking.tell_waiting", waitlist.tell_of_joining)
    registry.on(events.PlacesOffered, "booking.tell_offered", waitlist.tell_of_offer)
    registry.on(events.WaitlistClosed, "booking.tell_closed", waitlist.tell_of_closing)
    registry.on(events.WaiterRemoved, "booking.tell_removed", waitlist.tell_of_removal)
    registry.on(events.WaitedDatesMoved, "booking.waited_moved", waitlist_moves.follow_moves)
    registry.on(events.WaiterAffected, "booking.tell_waiter_moved", waitlist_moves.tell_of_move)
    registry.on(events.OfferFulfilled, "booking.leave_lists", waitlist.leave_other_lists)
    registry.on(events.SessionCancelled, "booking.close_lists", waitlist.close_cancelled)


def _wire_pruning() -> None:
    """What is let go of, and when; docs/operations/keeping.md says why no sooner."""
    from src.billing.commands.pruning import prune_inbox
    from src.booking.commands.pruning import prune_imports, prune_waitlists
    from src.platform.mail.pruning import prune_mails
    from src.tenants.commands.invitations import prune_invitations
    from src.tenants.commands.portal import prune_portal_codes
    from src.tenants.commands.pruning import prune_sign_ups
    from src.tenants.pruning import Kept, register_kept

    register_kept(Kept(name="mails", days=lambda s: s.keep_mails_days, prune=prune_mails))
    register_kept(Kept(name="imports", days=lambda s: s.keep_imports_days, prune=prune_imports))
    register_kept(Kept(name="waitlists", days=lambda _settings: 90, prune=prune_waitlists))
    register_kept(Kept(name="portal_codes", days=lambda _settings: 1, prune=prune_portal_codes))
    register_kept(Kept(name="invitations", days=lambda _settings: 90, prune=prune_invitations))
    register_kept(
        Kept(name="sign_ups", days=lambda _settings: 0, prune=prune_sign_ups, in_directory=True)
    )
    register_kept(
        Kept(
            name="webhooks",
            days=lambda s: s.keep_webhooks_days,
            prune=prune_inbox,
            in_directory=True,
        )
    )


def route_handlers() -> list[Any]:
    """Every page and endpoint of the program."""
    from src.billing.web import route_handlers as billing
    from src.booking.web import route_handlers as booking
    from src.tenants.web import route_handlers as tenants

    return [*tenants, *billing, *booking]


def install_web(kit: WebKit, services: Services) -> None:
    """Gives pages their navigation and refusals their faces."""
    from src.billing.web import install as install_billing
    from src.booking.web import install as install_booking
    from src.tenants.web import install as install_tenants

    for install in (install_tenants, install_billing, install_booking):
        install(kit, services)


def periodic_tasks(services: Services) -> list[Periodic]:
    """What runs by the clock."""
    from src.billing.cron import work_off
    from src.billing.jobs import periodic_tasks as billing
    from src.booking.jobs.broadcast import broadcasting
    from src.booking.jobs.digest import digesting
    from src.booking.jobs.minimum import weigh_minimums
    from src.booking.jobs.remind import reminding
    from src.booking.jobs.waitlist import waitlisting
    from src.tenants.commands.pruning import PRUNE_DUE
    from src.tenants.pruning import prune_tenant

    async def prune() -> None:
        await work_off(services, (PRUNE_DUE,), prune_tenant, parallel=2)

    async def weigh() -> None:
        await weigh_minimums(services)

    return [
        *billing(services),
        reminding(services),
        broadcasting(services),
        digesting(services),
        waitlisting(services),
        Periodic("booking.minimum", weigh, WEIGH_SECONDS),
        Periodic("tenants.prune", prune, PRUNE_SECONDS),
    ]
