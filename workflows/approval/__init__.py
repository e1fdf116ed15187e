"""The wing `approval`: the one approval engine."""
