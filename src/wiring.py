"""Where packages meet: models, consumers of events, meanings of constraints."""

import importlib

MODEL_MODULES = (
    "src.platform.outbox.models",
    "src.platform.mail.models",
    "src.tenants.models",
    "src.billing.models",
    "src.booking.models",
)


def import_models() -> None:
    """Makes every table known to the metadata."""
    for module in MODEL_MODULES:
        importlib.import_module(module)
