-- Signals by version of rules and numbers, and what corrected inputs made of them.

create table strategy_version (
    strategy    text not null,
    version     text not null,
    params_hash text not null,
    params      jsonb not null,
    live        boolean not null,
    first_used  timestamptz not null,
    primary key (strategy, version)
);

alter table signal alter column target2 drop not null;
alter table signal add column entry_order text not null default 'market'
    check (entry_order in ('market', 'stop'));
alter table signal alter column entry_order drop default;
alter table signal add column revision integer not null default 1;

comment on table strategy_version is 'The numbers of every version of every strategy that was computed';
comment on column strategy_version.strategy is 'rule set';
comment on column strategy_version.version is 'of the code; with other numbers than its own: + and their hash';
comment on column strategy_version.params_hash is 'hash of the numbers, as in signal.params_hash';
comment on column strategy_version.params is 'the numbers';
comment on column strategy_version.live is 'computed by the feed, by Dagster and by recomputations; set it to choose';
comment on column strategy_version.first_used is 'market time, UTC';
comment on column signal.entry_order is 'market: bought at once; stop: bought when the price rises to entry';
comment on column signal.revision is '1, and one more each time a corrected input changed it';
comment on column signal.target2 is 'premium, rupees; null where the rules have one target';

-- The same signal may be withdrawn and come back; what it was each time stays.
create table signal_revision (like signal including comments);
alter table signal_revision add column revised_at timestamptz not null;
alter table signal_revision add primary key (signal_id, revision);
alter table signal_revision
    add foreign key (signal_id) references signal on delete cascade;
comment on table signal_revision is 'Signals as they were before a correction; columns as in signal';
comment on column signal_revision.revised_at is 'when the values that replaced them could first be used, UTC';
