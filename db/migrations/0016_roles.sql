-- Who may ask how often a day, and what build-ups are made of.

alter table source_budget add column session date;
alter table source_budget add column asked integer not null default 0 check (asked >= 0);
comment on column source_budget.session is 'trading date that asked counts for; null before the first request';
comment on column source_budget.asked is 'requests of that session, answered or not';

alter table build_up add column made_from text not null default 'rows'
    check (made_from in ('rows', 'ladders', 'candles'));
comment on column build_up.made_from is 'rows: the source''s own; ladders: open interest of the strike ladder at the interval''s end, price and volume of candles; candles: all three of candles';
comment on column build_up.volume is 'units (shares) of the interval; null where a part of it is unknown';
comment on column build_up.source is 'who reported it; of a row made from two sources'' values, both';

alter table candle add column backfilled boolean not null default false;
alter table build_up add column backfilled boolean not null default false;
comment on column candle.backfilled is 'fetched after its session: known_at is the interval''s end, and nobody saw it then';
comment on column build_up.backfilled is 'made of what was fetched after its session';
