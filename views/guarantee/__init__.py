"""The wing `guarantee`: the line from application to release."""
