"""What becomes of a call when it is over: its transcript, what it was about, and how well it went."""
