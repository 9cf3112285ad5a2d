-- How late a source's data is and until when its token holds: an account decides both, and neither
-- shows in the rows themselves.

alter table source_status
    add column delay_seconds integer check (delay_seconds >= 0),
    add column token_ends_at timestamptz,
    add column note text;

comment on column source_status.delay_seconds is 'how late its data is, by its own words or prices'' own time; 0 in real time, null if nothing tells';
comment on column source_status.token_ends_at is 'when the user''s token ends, UTC; null without one, or if it does not say';
comment on column source_status.note is 'what a person should know or do, such as to renew the token; null if nothing';
