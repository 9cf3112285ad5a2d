"""What is missing is asked for, archived as it came, and derived from the archive."""
