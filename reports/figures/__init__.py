"""Numbers that verbs check and screens show, computed in one place."""
