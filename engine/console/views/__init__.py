"""What the console shows, as pure functions: values in, marked-up text out. No browser, no clock, no node."""
