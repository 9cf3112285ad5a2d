-- Run by the image when the volume is new, and by hand after a password has changed: the roles that
-- programs and people log in as, and Dagster's database beside the market's. What the roles may do
-- comes with the migration.
\set ON_ERROR_STOP on
\set owner `cat /run/secrets/database_password`
\set writer `cat /run/secrets/writer_password`
\set chart `cat /run/secrets/chart_password`

-- As whom this runs. The image gives it a password when the volume is new, and never again.
alter role current_user password :'owner';
select format('create role %I', name)
  from unnest(array['optionscalp_writer', 'optionscalp_chart', 'optionscalp_reader']) name
 where not exists (select from pg_roles where rolname = name) \gexec
alter role optionscalp_writer login password :'writer';
alter role optionscalp_chart login password :'chart';
-- A reader as well, who may end sessions of readers.
grant optionscalp_reader to optionscalp_chart;
-- People with SQL, who come from inside the container and need no password there.
alter role optionscalp_reader login connection limit 20;
-- A reader may change its own: running this file again puts it right.
select format('alter role optionscalp_reader in database %I reset all', d.datname)
  from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
 where s.setrole = 'optionscalp_reader'::regrole \gexec
alter role optionscalp_reader reset all;
alter role optionscalp_reader set temp_file_limit to '1GB';
alter role optionscalp_reader set default_transaction_read_only to on;
alter role optionscalp_reader set statement_timeout to '60s';
alter role optionscalp_reader set idle_in_transaction_session_timeout to '60s';

select 'create database dagster owner optionscalp_writer'
 where not exists (select from pg_database where datname = 'dagster') \gexec
revoke connect, temporary on database dagster, postgres, template1 from public;
