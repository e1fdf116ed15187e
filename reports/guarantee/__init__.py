"""The wing `guarantee`: what is asked about projects, their papers and their time (5)."""
