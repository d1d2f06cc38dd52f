"""The monitoring API: a node seen and steered over HTTP, with `engine.views` as its words."""
