"""Schema, migrations, queries and bulk writes: the only package that knows SQL."""
