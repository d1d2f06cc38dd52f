"""A node in one file, and a node made of one: docs/backup.md, and why it is so: docs/adr/0055."""
