-- What a viewer saw of a candle before it was final. Written by the live feed with the candles
-- themselves, deleted by age; not in the change log, as nothing follows it.

create table forming (
    symbol           text not null,
    interval_minutes smallint not null check (interval_minutes in (1, 5)),
    open_time        timestamptz not null,
    underlying       text not null,
    open             double precision not null,
    high             double precision not null,
    low              double precision not null,
    close            double precision not null,
    volume           bigint,
    source           text not null,
    known_at         timestamptz not null,
    primary key (symbol, open_time, known_at)
);
create index forming_by_age on forming (open_time);

comment on table forming is 'States of forming candles as the live feed stored them, kept for FORMING_DAYS; a rebuild makes none';
comment on column forming.symbol is 'canonical symbol';
comment on column forming.interval_minutes is 'of the candle, 1 or 5';
comment on column forming.open_time is 'start of the candle, UTC';
comment on column forming.underlying is 'NIFTY or BANKNIFTY';
comment on column forming.open is 'first price, rupees of premium or index points';
comment on column forming.high is 'highest price so far';
comment on column forming.low is 'lowest price so far';
comment on column forming.close is 'last price then';
comment on column forming.volume is 'units (shares) traded so far; null for an index or if unknown';
comment on column forming.source is 'who reported it: tradingview or simulator';
comment on column forming.known_at is 'when this state was received, UTC; the next one of the candle replaced it';
