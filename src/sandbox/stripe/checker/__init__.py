"""Checks every request and answer against the type hints that the stripe library ships with."""
