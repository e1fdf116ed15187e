"""The wing `system`: organisation, operators, roles, set-up and operation."""
