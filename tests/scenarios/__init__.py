"""Business stories from end to end."""
