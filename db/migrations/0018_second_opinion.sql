-- Sources watch each other. Where two have the same key, what each says is kept, the preferred
-- one's values count, and what differs by more than a tolerance is told.

create table source_preference (
    source text primary key,
    place  integer not null unique check (place >= 0)
);

-- Those that nobody chose come after the chosen ones, imported files last.
create function source_place(name text) returns integer language sql stable as $$
    select coalesce((select place from source_preference where source = name),
                    case name when 'import' then 2000 else 1000 end)
$$;
-- What somebody saw when it happened counts before what was fetched later, whoever tells it.
create function source_place(name text, told jsonb) returns integer language sql stable as $$
    select source_place(name) + case when (told ->> 'backfilled')::boolean then 10000 else 0 end
$$;

create table source_version (
    relation text not null,
    key      jsonb not null,
    source   text not null,
    moment   timestamptz not null,
    values   jsonb not null,
    known_at timestamptz not null,
    primary key (relation, key, source)
);
create index source_version_by_time on source_version (moment);

-- A number that one of them lacks is no difference. Tolerances are in docs/sql.md.
create view second_opinion as
with ranked as (
    select *, row_number() over (partition by relation, key, moment
                                 order by source_place(source, values), source) as rank
      from source_version
), pair as (
    select relation, key, o.source, moment, o.values, p.source as preferred_source,
           p.values as preferred_values, greatest(o.known_at, p.known_at) as known_at
      from ranked o join ranked p using (relation, key, moment)
     where o.rank > 1 and p.rank = 1
)
select pair.relation, pair.key, pair.source, pair.moment, pair.values, pair.preferred_source,
       pair.preferred_values, found.difference, pair.known_at
  from pair
 cross join lateral (
       select jsonb_object_agg(name, other - preferred) as difference
         from (select p.key as name, (p.value #>> '{}')::numeric as preferred,
                      (pair.values ->> p.key)::numeric as other
                 from jsonb_each(pair.preferred_values) p
                where jsonb_typeof(p.value) = 'number'
                  and jsonb_typeof(pair.values -> p.key) = 'number') number
        where abs(other - preferred) >
              case when name not in ('open', 'high', 'low', 'close', 'bid', 'ask')
                   then 0.05 * preferred
                   when pair.key ->> 'symbol' ~ '\d[CP]\d+$' then greatest(0.5, 0.03 * preferred)
                   else 0.0005 * preferred end) found
 where found.difference is not null;

comment on table source_preference is 'SOURCES, as the process that asks was started with it last';
comment on column source_preference.source is 'name';
comment on column source_preference.place is '0 is preferred';
comment on table source_version is 'What each source says of rows that two have told: newest values of each, the preferred one''s too';
comment on column source_version.relation is 'candle, chain_oi or quote';
comment on column source_version.key is 'the row''s key, by column';
comment on column source_version.source is 'who says it';
comment on column source_version.moment is 'open_time, observed_at or moment of the row, UTC';
comment on column source_version.values is 'the other columns';
comment on column source_version.known_at is 'when these values of this source could first be used, UTC';
comment on view second_opinion is 'Values that differ from the preferred source''s by more than the tolerance';
comment on column second_opinion.source is 'who says otherwise';
comment on column second_opinion.difference is 'by column: its value less the preferred source''s, where beyond the tolerance';
comment on column second_opinion.known_at is 'when both were known, UTC';
comment on column candle.source is 'who reported it; of two that have it the preferred one, with + and the other''s name if a count is the other''s';
comment on column chain_oi.source is 'who reported it; of two that have it the preferred one, with + and the other''s name if a count is the other''s';
