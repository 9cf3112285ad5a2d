"""What checks and reports look at, and what they found last."""
