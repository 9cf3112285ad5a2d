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
