"""The server and the schema: started, connected to, migrated, read by."""
