"""The first contact: each source is asked a handful of questions, and what works is told."""
