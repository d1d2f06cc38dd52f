"""The shells that do input and output for the stack; only the engine imports them."""
