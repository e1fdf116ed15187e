"""The wing `kit`: the generated screens and the shell that every other wing uses."""
