"""What the log's entries about the platform itself say to its admins."""

from src.platform.i18n import N_

PLATFORM_SENTENCES = {
    "admin.created": N_("Made a platform admin"),
    "admin.promoted": N_("Made a user a platform admin, with a new password"),
    "admin.password_replaced": N_("Replaced a platform admin's password"),
    "plan.edited": N_("Edited a plan"),
    "bolt_on.edited": N_("Edited a bolt-on"),
    "request.declined": N_("Declined a request"),
    "tenant.moved": N_("Moved a business to a plan"),
    "tenant.bolt_on_given": N_("Added a bolt-on to a business"),
    "tenant.bolt_on_removed": N_("Removed a bolt-on from a business"),
    "tenant.granted": N_("Added to a business's plan"),
    "tenant.grant_removed": N_("Took back an addition to a business's plan"),
    "tenant.status_changed": N_("Changed the state of a business"),
}
