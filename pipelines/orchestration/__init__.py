"""All of Dagster: when what is run, and how runs and checks are shown. Nothing else imports it."""
