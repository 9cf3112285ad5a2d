"""Dagster assets, one module per table.

What is listed here is partitioned by session, thin and idempotent: each fetches what the database
lacks, so that running it twice, late or beside the live feed costs nothing.
"""
