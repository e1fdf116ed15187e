"""The wing `workbench`: what waits for a person, and the desktop."""
