-- Which parts of the feed fail, and are started again while the others go on.

create table feed_fault (
    task     text primary key,
    problem  text not null,
    failures integer not null check (failures > 0),
    since    timestamptz not null,
    last_at  timestamptz not null
);
comment on table feed_fault is 'Parts of the live feed that failed for a reason that nobody expected: each is started again alone, after pauses that grow; forgotten when it has worked for a minute, and when a feed starts';
comment on column feed_fault.task is 'stream, candles, positions, signals, greeks, tidy or closing';
comment on column feed_fault.problem is 'the last failure, at most 1 kB';
comment on column feed_fault.failures is 'how often it failed since';
comment on column feed_fault.since is 'market time of the first failure, UTC';
comment on column feed_fault.last_at is 'market time of the last failure, UTC';
