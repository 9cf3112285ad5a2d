"""The one way rows are written, and the types of the rows."""
