"""Clients and parsers of the market-data sources."""
