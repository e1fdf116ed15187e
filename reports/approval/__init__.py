"""The wing `approval`: what is asked about decisions (5.2)."""
