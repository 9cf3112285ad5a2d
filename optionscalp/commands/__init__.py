"""What `optionscalp COMMAND` does, one function per command."""
