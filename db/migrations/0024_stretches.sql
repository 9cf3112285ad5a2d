-- A number of the log says which row changed only together with the log that it was given from. A
-- restored database gives the same numbers again, to other changes. So what one start of the server
-- writes to one file is a stretch of the log with a name of its own.

alter table feed_meta
    drop column system_identifier,
    drop column timeline_id,
    add column stretch text not null default '',
    add column place text;
comment on column feed_meta.epoch is 'of this log, from its first entry on';
comment on column feed_meta.stretch is 'what ids of new entries carry, a random name; empty in the first stretch';
comment on column feed_meta.place is 'where that stretch is written: another place begins another stretch';

create table past_stretch (
    stretch  text primary key,
    last_seq bigint not null
);
comment on table past_stretch is 'Stretches of the change log that have ended: a reader who stands beyond the end of one has read another log';
comment on column past_stretch.stretch is 'as ids carry it; empty: the first';
comment on column past_stretch.last_seq is 'the newest number when the next one began';

-- No copy shares it: of files (another start of a server), of a database (another one), nor what is
-- restored into the same database (another file). Healing keeps tables of the same names before
-- these in the search path, so the schema is named.
create function log_place() returns text
language sql stable as $$
    select concat_ws(' ',
                     to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
                     (select oid from pg_database where datname = current_database()),
                     pg_relation_filenode('public.change_log'))
$$;
comment on function log_place is 'Which start of the server, which database and which file the change log is written to now';

create function change_log_state(asked text)
returns table (epoch text, stretch text, pruned_to bigint, newest bigint, shared_to bigint)
language sql stable as $$
    select f.epoch, f.stretch, f.pruned_to, n.newest,
           case f.stretch when asked then n.newest
                          else (select last_seq from public.past_stretch p where p.stretch = asked) end
      from public.feed_meta f,
           lateral (select greatest(f.pruned_to, (select max(seq) from public.change_log)) as newest) n
$$;
comment on function change_log_state is 'Where the log stands; and up to which number it is the log that a stretch was of: null where it never was';
