"""What signed links of this package are for, and how long they live."""

from datetime import timedelta

CONFIRM_EMAIL = "confirm-email"
CONFIRM_EMAIL_LIFETIME = timedelta(days=7)
RESET_PASSWORD = "reset-password"  # noqa: S105 - a purpose, not a password
RESET_PASSWORD_LIFETIME = timedelta(hours=2)
FINISH_SIGN_UP = "finish-sign-up"
FINISH_SIGN_UP_LIFETIME = timedelta(days=3)
"""So long a slug is kept for whoever asked for it, known or not."""
INVITATION = "invitation"
INVITATION_LIFETIME = timedelta(days=7)
