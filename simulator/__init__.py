"""A labelled, simulated market that speaks the sources' protocols on loopback."""
