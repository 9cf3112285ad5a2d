-- Each distinct answer once with all its receipts, streams by the minute, and what was replaced.

-- What was asked, in our own terms: how a rebuild knows what to do with the bytes.
alter table raw_payload add column about jsonb not null default '{}';
-- A stream is one payload a minute: where each part of its body ends, and when it was received.
alter table raw_payload add column part_ends integer[];
alter table raw_payload add column part_received_at timestamptz[];
-- PostgreSQL compresses the body itself, so that plain SQL still reads it. LZ4 finds repetitions
-- further apart than the default; a server built without it keeps the default.
do $$
begin
    alter table raw_payload alter column body set compression lz4;
exception when feature_not_supported then
    null;
end
$$;

create table raw_receipt (
    receipt_id  bigint generated always as identity primary key,
    payload_id  bigint not null references raw_payload on delete cascade,
    asked_at    timestamptz not null,
    received_at timestamptz not null,
    complete_to timestamptz
);
insert into raw_receipt (payload_id, asked_at, received_at)
select min(payload_id) over (partition by session, source, request, sha256),
       received_at, received_at
  from raw_payload
 order by payload_id;
delete from raw_payload p
 where not exists (select from raw_receipt r where r.payload_id = p.payload_id);
create index raw_receipt_by_payload on raw_receipt (payload_id);
create unique index raw_payload_once on raw_payload (session, source, request, sha256);

create table raw_part (
    part_id      bigint generated always as identity primary key,
    source       text not null,
    session      date not null,
    about        jsonb not null,
    received_at  timestamptz not null,
    body         bytea not null,
    parser_error text
);

create table revision (
    revision_id      bigint generated always as identity primary key,
    relation         text not null,
    underlying       text not null,
    symbol           text not null,
    interval_minutes smallint not null,
    open_time        timestamptz not null,
    replaced         jsonb not null,
    known_at         timestamptz not null,
    revised_at       timestamptz not null
);
create index revision_by_underlying on revision (underlying, open_time);

create table empty_interval (
    relation         text not null check (relation in ('candle', 'build_up')),
    symbol           text not null,
    interval_minutes smallint not null,
    open_time        timestamptz not null,
    source           text not null,
    known_at         timestamptz not null,
    confirmed_at     timestamptz,
    primary key (relation, symbol, interval_minutes, open_time)
);

comment on table raw_payload is 'Every distinct answer of a source, bytes untouched, stored before it is parsed';
comment on column raw_payload.received_at is 'market time of the first receipt, UTC; all of them: raw_receipt';
comment on column raw_payload.about is 'what was asked, in our own terms';
comment on column raw_payload.part_ends is 'of a stream: where each part of body ends, in bytes';
comment on column raw_payload.part_received_at is 'of a stream: market time each part was received, UTC';
comment on table raw_receipt is 'When each archived answer was asked for and received';
comment on column raw_receipt.receipt_id is 'number';
comment on column raw_receipt.payload_id is 'the answer';
comment on column raw_receipt.asked_at is 'market time of the question, UTC';
comment on column raw_receipt.received_at is 'market time of receipt, UTC';
comment on column raw_receipt.complete_to is 'intervals that ended by then can change no more, UTC; null where that has no meaning';
comment on table raw_part is 'What the stream brought in the current minute; put into raw_payload when it is over';
comment on column raw_part.part_id is 'number';
comment on column raw_part.source is 'who sent it';
comment on column raw_part.session is 'trading date';
comment on column raw_part.about is 'connection, and which series its chart sessions carry';
comment on column raw_part.received_at is 'market time up to which the connection was heard, UTC';
comment on column raw_part.body is 'the frames as received; empty where silence made a candle final';
comment on column raw_part.parser_error is 'why it could not be parsed in full; null if it could';
comment on table revision is 'Final candles and build-ups that a later answer corrected, as they were before';
comment on column revision.revision_id is 'number';
comment on column revision.relation is 'candle or build_up';
comment on column revision.underlying is 'NIFTY or BANKNIFTY';
comment on column revision.symbol is 'index, future or option';
comment on column revision.interval_minutes is '1 or 5';
comment on column revision.open_time is 'start of the interval, UTC';
comment on column revision.replaced is 'the row as it was';
comment on column revision.known_at is 'when the replaced values could first be used, UTC';
comment on column revision.revised_at is 'when the values that replaced them could first be used, UTC';
comment on table empty_interval is 'Intervals for which the source, asked after their end, has no row: nothing traded';
comment on column empty_interval.relation is 'candle or build_up';
comment on column empty_interval.symbol is 'index, future or option';
comment on column empty_interval.interval_minutes is '1 or 5';
comment on column empty_interval.open_time is 'start of the interval, UTC';
comment on column empty_interval.source is 'who was asked';
comment on column empty_interval.known_at is 'when an answer first left it out, UTC';
comment on column empty_interval.confirmed_at is 'when an answer minutes later still did, UTC; until then it is asked for again';
