"""Benchmarks: one command each, one JSON line out."""
