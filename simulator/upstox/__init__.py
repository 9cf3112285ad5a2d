"""Upstox's HTTP over a market, as its documentation and its users' recordings describe it.

What is known of it, and from where: docs/sources.md, "Upstox".
"""
