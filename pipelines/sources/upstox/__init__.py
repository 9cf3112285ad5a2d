"""Upstox: a broker whose documented interface has candles with open interest, and yesterday."""
