"""押品: what is pledged to the company, what it is worth, where it lies and who watches it (7)."""
