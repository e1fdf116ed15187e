"""The wing `after`: what follows a drawdown."""
