"""What stops a command: one clear line with the remedy."""


class CommandError(Exception):
    """A command cannot go on; the message says what a person can do."""
