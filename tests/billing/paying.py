"""The processor's port as tests have it: led to a stand-in, with time enough on a busy machine."""

from src.billing.stripe_gateway import StripeGateway
from src.sandbox.stripe.serving import Running

PATIENCE_SECONDS = 20
"""Longer than a starved event loop needs, so that only a fault asked for is a call that failed."""


def gateway_to(stripe: Running) -> StripeGateway:
    """Tries each call once, so that a fault asked for once is seen; whoever has it closes it."""
    return StripeGateway(
        "sk_test_seatline", stripe.base_url, call_seconds=PATIENCE_SECONDS, retries=0
    )
