"""Media: all legs of a worker in columns; one tick moves all of them."""
