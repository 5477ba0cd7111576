"""A stand-in for Stripe on this machine, reached by the official library by base address alone."""

from src.sandbox.stripe.app import create_app, stripe_behind
from src.sandbox.stripe.config import Config, Hook
from src.sandbox.stripe.serving import Running, serve

__all__ = ["Config", "Hook", "Running", "create_app", "serve", "stripe_behind"]
