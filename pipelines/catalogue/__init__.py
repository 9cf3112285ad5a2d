"""Which strategies there are: ours, those of installed packages, and those of the user's folder."""
