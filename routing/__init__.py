"""Routing: pure decisions, (state, now) -> choice and the reasons for it."""
