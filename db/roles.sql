-- Idempotent: the roles people and programs are granted, and what holds for whoever can read. Where
-- the connecting user may not do one of these, it is left as it is; `optionscalp doctor` tells.
do $$
declare
    missing text;
begin
    for missing in
        select 'optionscalp_' || kind from unnest(array['reader', 'writer', 'owner', 'chart']) kind
        except select rolname from pg_roles
    loop
        begin
            execute format('create role %I nologin', missing);
        exception
            when duplicate_object or unique_violation then
                null;  -- another database of this server made it at the same moment
        end;
    end loop;
    -- Where not everybody is let in, as on the embedded server.
    if not exists (select from pg_database d, aclexplode(d.datacl) a
                    where d.datname = current_database() and a.privilege_type = 'CONNECT'
                      and a.grantee = 'optionscalp_reader'::regrole) then
        execute format('grant connect on database %I to optionscalp_reader, optionscalp_writer, '
                       'optionscalp_owner, optionscalp_chart', current_database());
    end if;
    grant usage on schema public
        to optionscalp_reader, optionscalp_writer, optionscalp_owner, optionscalp_chart;
    grant select on all tables in schema public
        to optionscalp_reader, optionscalp_writer, optionscalp_owner, optionscalp_chart;
    grant insert, update, delete on all tables in schema public
        to optionscalp_writer, optionscalp_owner;
    grant create on schema public to optionscalp_owner;
    -- Of the chart server alone.
    if to_regclass('login') is not null then
        revoke all on login from optionscalp_reader, optionscalp_writer, optionscalp_owner;
        grant select, insert, update, delete on login to optionscalp_chart;
    end if;
exception
    when insufficient_privilege then
        raise notice 'roles not granted: the connecting user may not do so';
end
$$;

do $$
declare
    target regprocedure;
begin
    -- A reader holds no lock that a writer waits for and leaves nothing on the disk. NOTIFY is open to
    -- everyone: it is a hint, and nobody relies on it.
    if has_database_privilege('optionscalp_reader', current_database(), 'temp, create')
       or not has_database_privilege('optionscalp_writer', current_database(), 'temp')
       or has_schema_privilege('optionscalp_reader', 'public', 'create') then
        execute format('grant temp on database %I to optionscalp_writer, optionscalp_owner',
                       current_database());
        execute format('revoke temp, create on database %I from public', current_database());
        revoke create on schema public from public;
    end if;
    for target in
        select p.oid from pg_proc p
         where p.pronamespace = 'pg_catalog'::regnamespace
           and (p.proname ~ '^pg_(try_)?advisory_'
                or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_open',
                                 'pg_logical_emit_message'))
           and has_function_privilege('optionscalp_reader', p.oid, 'execute')
    loop
        execute format('grant execute on function %s to optionscalp_writer, optionscalp_owner', target);
        execute format('revoke execute on function %s from public', target);
    end loop;
exception
    when insufficient_privilege then
        raise notice 'readers keep what everyone may do: the connecting user may not take it';
    when undefined_object then
        null;  -- there are no such roles
end
$$;
