-- Run by the image when the volume is new, and by hand after a password has changed: the roles that
-- programs log in as, and Dagster's database beside the market's. What the roles may do comes with
-- the migration.
\set ON_ERROR_STOP on
\set writer `cat /run/secrets/writer_password`
\set reader `cat /run/secrets/reader_password`

select format('create role %I', name)
  from unnest(array['optionscalp_writer', 'optionscalp_reader']) name
 where not exists (select from pg_roles where rolname = name) \gexec
alter role optionscalp_writer login password :'writer';
alter role optionscalp_reader login password :'reader';

select 'create database dagster owner optionscalp_writer'
 where not exists (select from pg_database where datname = 'dagster') \gexec
revoke connect, temporary on database dagster from public;
