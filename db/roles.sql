-- Idempotent: the roles people and programs are granted. Where the connecting user may not create
-- roles, the tables belong to that user and nothing is granted.
do $$
declare
    missing text;
begin
    for missing in
        select 'optionscalp_' || kind from unnest(array['reader', 'writer', 'owner']) kind
        except select rolname from pg_roles
    loop
        begin
            execute format('create role %I nologin', missing);
        exception
            when duplicate_object or unique_violation then
                null;  -- another database of this server made it at the same moment
        end;
    end loop;
    grant usage on schema public to optionscalp_reader, optionscalp_writer, optionscalp_owner;
    grant select on all tables in schema public
        to optionscalp_reader, optionscalp_writer, optionscalp_owner;
    grant insert, update, delete on all tables in schema public
        to optionscalp_writer, optionscalp_owner;
    grant create on schema public to optionscalp_owner;
    -- Logins are of the chart server alone: what is in them is of no use to who reads the market.
    revoke all on login from optionscalp_reader, optionscalp_writer;
exception
    when insufficient_privilege then
        raise notice 'roles not granted: the connecting user may not create roles';
end
$$;
