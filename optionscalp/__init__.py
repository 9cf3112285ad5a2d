"""The command line: starts, watches and asks the system."""
