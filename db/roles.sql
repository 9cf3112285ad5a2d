-- Idempotent: the roles people and programs are granted. Where the connecting user may not create
-- roles, the tables belong to that user and nothing is granted.
do $$
begin
    if not exists (select from pg_roles where rolname = 'optionscalp_reader') then
        create role optionscalp_reader nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'optionscalp_writer') then
        create role optionscalp_writer nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'optionscalp_owner') then
        create role optionscalp_owner nologin;
    end if;
    grant usage on schema public to optionscalp_reader, optionscalp_writer, optionscalp_owner;
    grant select on all tables in schema public
        to optionscalp_reader, optionscalp_writer, optionscalp_owner;
    grant insert, update, delete on all tables in schema public
        to optionscalp_writer, optionscalp_owner;
    grant create on schema public to optionscalp_owner;
exception
    when insufficient_privilege then
        raise notice 'roles not granted: the connecting user may not create roles';
    when duplicate_object or unique_violation then
        null;  -- another database of this server made them at the same moment
end
$$;
