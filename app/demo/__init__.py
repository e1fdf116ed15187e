"""A demonstration company made through the verbs, in its own time: seeded, repeatable, no end state inserted."""

from app.demo.load import load_demo

__all__ = ["load_demo"]
