"""Durable data: what tables there are, how they come to be, and how rows go in and out."""
