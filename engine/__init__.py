"""The composition root: wires sip, media, routing and config into a contact-centre node."""
