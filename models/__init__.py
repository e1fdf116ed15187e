"""Nouns: tables, invariants and labels."""
