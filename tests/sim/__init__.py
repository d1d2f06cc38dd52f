"""The whole engine on a virtual clock and a seeded network, with simulated phones."""
