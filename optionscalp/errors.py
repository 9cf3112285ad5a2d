"""What stops a command: one clear line with the remedy."""

from db.server.disk import FULL, tells_of_full_disk


class CommandError(Exception):
    """A command cannot go on; the message says what a person can do."""


def file_fault(error: OSError) -> str:
    """Return the line about a file or folder that cannot be used, wherever that was found out."""
    place = error.filename2 or error.filename
    if tells_of_full_disk(error):
        return f"{FULL}: free some space" + (f" for {place}" if place else "")
    reason = error.strerror or str(error)
    if not place:
        return f"the system refuses: {reason}"
    return (
        f"{place} cannot be used: {reason}. Correct its permissions, or name another place; a home"
        " is named by OPTIONSCALP_HOME or --home"
    )
