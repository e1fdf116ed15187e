"""The wing `statistics`: figures of the whole company."""
