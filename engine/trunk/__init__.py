"""Lines (trunks) at work: what `routing.exchange` decides, done in SIP."""
