"""Verbs: the only writers of state; they know no Flask."""
