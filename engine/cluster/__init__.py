"""Several nodes as one: what they share, who is there, which is nearest. By default one node, in memory."""
