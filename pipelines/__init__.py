"""Fetching, parsing and writing market data: when things run and what they write."""
