"""What goes on in a node, told as it changes: a tree of what is now, its changes, and who reads them."""
