"""Pages, JSON history, live stream and replay over HTTP."""
