"""Strategies and what comes of them: signals, outcomes, sweeps, greeks."""
