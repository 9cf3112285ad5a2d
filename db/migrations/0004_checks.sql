-- What each check found last, for people, for the gate before signals, and for alerts.

create table check_state (
    session      date not null,
    asset        text not null,
    check_name   text not null,
    severity     text not null check (severity in ('error', 'warning')),
    failed_since timestamptz,
    details      jsonb not null,
    checked_at   timestamptz not null,
    alerted_at   timestamptz,
    primary key (session, asset, check_name)
);
comment on table check_state is 'What each check found last, by session; errors block the signals of their session';
comment on column check_state.session is 'trading date, IST';
comment on column check_state.asset is 'what was checked';
comment on column check_state.check_name is 'which check of it';
comment on column check_state.severity is 'error: rows are wrong or unreadable; warning: late or incomplete';
comment on column check_state.failed_since is 'market time of the first failure since it last passed, UTC; null if it passes';
comment on column check_state.details is 'the numbers that led to the verdict';
comment on column check_state.checked_at is 'market time of the last look, UTC';
comment on column check_state.alerted_at is 'market time its failure was alerted, UTC; null again after the recovery was';

-- A session's archive has tens of thousands of answers and hardly one that could not be parsed.
create index raw_payload_unparsed on raw_payload (session) where parser_error is not null;

-- What the checks of gaps and of answers read; nothing where it is there already.
alter table raw_payload add column if not exists about jsonb not null default '{}';
create table if not exists raw_receipt (
    receipt_id  bigint generated always as identity primary key,
    payload_id  bigint not null references raw_payload on delete cascade,
    asked_at    timestamptz not null,
    received_at timestamptz not null
);
create index if not exists raw_receipt_by_payload on raw_receipt (payload_id);
create table if not exists empty_interval (
    relation         text not null check (relation in ('candle', 'build_up')),
    symbol           text not null,
    interval_minutes smallint not null,
    open_time        timestamptz not null,
    source           text not null,
    known_at         timestamptz not null,
    primary key (relation, symbol, interval_minutes, open_time)
);
comment on column raw_payload.about is 'what was asked, in our own terms';
comment on table raw_receipt is 'When each archived answer was asked for and received';
comment on column raw_receipt.receipt_id is 'number';
comment on column raw_receipt.payload_id is 'the answer';
comment on column raw_receipt.asked_at is 'market time of the question, UTC';
comment on column raw_receipt.received_at is 'market time of receipt, UTC';
comment on table empty_interval is 'Intervals for which the source, asked after their end, has no row: nothing traded';
comment on column empty_interval.relation is 'candle or build_up';
comment on column empty_interval.symbol is 'index, future or option';
comment on column empty_interval.interval_minutes is '1 or 5';
comment on column empty_interval.open_time is 'start of the interval, UTC';
comment on column empty_interval.source is 'who was asked';
comment on column empty_interval.known_at is 'when we learned it, UTC';
