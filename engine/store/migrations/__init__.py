"""The history of the tables, oldest first: a file under versions/ for each release that changed them."""
