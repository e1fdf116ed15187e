"""The wing `base`: what every other wing stands on."""
