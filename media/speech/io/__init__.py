"""What speech is recognised, translated and spoken by, and the ways between: processes, models, sockets."""
