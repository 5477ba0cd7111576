"""Journeys through a real browser, over the whole program in processes of its own."""
