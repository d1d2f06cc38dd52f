"""Other systems are told what happens, by webhooks."""
