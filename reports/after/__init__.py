"""The wing `after`: what is asked about 代偿 and 追偿 (6.2, 6.3)."""
