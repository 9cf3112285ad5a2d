"""TradingView: candles and quotes over its websocket."""
