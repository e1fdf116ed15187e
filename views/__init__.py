"""Screens: parse the request, call a verb or a question, render."""
