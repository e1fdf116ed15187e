"""The wing `after`: what follows a drawdown: warnings and checks."""
