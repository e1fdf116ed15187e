"""The product in a browser, as its users have it."""
