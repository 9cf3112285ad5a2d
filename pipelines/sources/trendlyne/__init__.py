"""Trendlyne: contracts, ladders and build-ups over HTTP."""
