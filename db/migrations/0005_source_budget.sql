-- How often each source's host may be asked, shared by every process of this installation.

create table source_budget (
    source       text primary key,
    seen_at      timestamptz not null,
    next_at      timestamptz not null,
    refusals     integer not null default 0 check (refusals >= 0),
    refused_at   timestamptz,
    paused_until timestamptz,
    last_error   text
);

comment on table source_budget is 'When each source may be asked again, by whichever process';
comment on column source_budget.source is 'tradingview or trendlyne: one host each';
comment on column source_budget.seen_at is 'market time of the newest use, UTC; in the future: the market''s clock was set back';
comment on column source_budget.next_at is 'the next free place for a request, market time, UTC';
comment on column source_budget.refusals is 'in a row; one good answer makes it 0';
comment on column source_budget.refused_at is 'market time of the newest refusal, UTC; null without one';
comment on column source_budget.paused_until is 'nobody asks before, market time, UTC; null when one may';
comment on column source_budget.last_error is 'the newest refusal''s words; null without one';
