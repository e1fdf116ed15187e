"""The wing `customer`: customers, their ratings and data."""
