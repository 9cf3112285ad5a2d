"""Files of recorded days: read, checked and stored."""
