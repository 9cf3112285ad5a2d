-- When a contract was first known, and what buying and selling it cost: fills and signals that
-- assume less than this assume what nobody could have known or paid.

alter table contract
    add column listed_at timestamptz,
    add column tick_size double precision check (tick_size > 0);

-- Of contracts that are stored already: when the first row of theirs was known, so no later than
-- this. Those without a row stay null; `optionscalp rebuild` brings the moment of the answer that
-- named a contract first, where it is archived.
update contract k set listed_at = f.known_at
  from (select symbol, min(known_at) as known_at
          from (select symbol, known_at from candle
                union all
                select symbol, known_at from build_up
                union all
                select underlying || to_char(expiry, 'YYMMDD') || 'C' || strike, known_at
                  from chain_oi where call_oi is not null
                union all
                select underlying || to_char(expiry, 'YYMMDD') || 'P' || strike, known_at
                  from chain_oi where put_oi is not null) r
         group by symbol) f
 where k.symbol = f.symbol;

create table quote (
    symbol       text not null,
    moment       timestamptz not null,
    bid          double precision check (bid > 0),
    ask          double precision check (ask > 0),
    bid_quantity bigint check (bid_quantity >= 0),
    ask_quantity bigint check (ask_quantity >= 0),
    source       text not null,
    known_at     timestamptz not null,
    primary key (symbol, moment)
);
create index quote_by_time on quote (moment);

-- Some sources count requests in a window of time: whoever asks is told when there is room in it.
alter table source_budget add column drained_at timestamptz;

comment on column source_budget.drained_at is 'market time at which the requests so far count no more, UTC, if each counts for its even share of the source''s window; null before the first';
comment on column contract.listed_at is 'when it was first known, UTC: the answer that named it first; the session''s open if a source listed it for a session that was over; else when its first row was known; null if none of them is stored';
comment on column contract.tick_size is 'rupees; null where no source tells it';
comment on table quote is 'Best bid and ask of options, where an answer has them, as the source tells them';
comment on column quote.symbol is 'canonical symbol';
comment on column quote.moment is 'the source''s own time of the values, else their receipt, UTC';
comment on column quote.bid is 'rupees that somebody pays; null if nobody does, or if it is unknown';
comment on column quote.ask is 'rupees that somebody asks; null if nobody does, or if it is unknown';
comment on column quote.bid_quantity is 'units (shares) at the bid, 0 if nobody pays; null if unknown';
comment on column quote.ask_quantity is 'units (shares) at the ask, 0 if nobody asks; null if unknown';
comment on column quote.source is 'who reported it';
comment on column quote.known_at is 'when it could first be used, UTC';
