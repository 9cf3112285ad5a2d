-- Run once, when the database's volume is new: Dagster keeps its records beside the market's.
create database dagster;
