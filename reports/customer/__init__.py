"""The wing `customer`: what belongs together, and what could go."""
