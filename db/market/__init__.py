"""Market rows over ranges of sessions, as strategies and the ingestion read them."""
