"""The live feed: forming candles, positions and the signals of the running session."""
