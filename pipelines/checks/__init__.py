"""Checks of the stored rows. Each reads the tables, not the run history, and gives its numbers.

Judged here without Dagster, since errors also hold back the signals of the feed and of the command
line; `orchestration/asset_checks` shows them to Dagster. What each found last is in the table
`check_state`.
"""
