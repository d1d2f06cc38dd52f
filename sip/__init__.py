"""SIP: a sans-IO protocol stack; sockets live in sip.io alone."""
