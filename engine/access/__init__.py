"""Who may what: people and programs that use a node, what each may see and do, and the record of it."""
