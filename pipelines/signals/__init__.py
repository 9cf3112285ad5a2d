"""What is made of stored rows: signals, greeks, outcomes, sweeps, and the proofs of them."""
