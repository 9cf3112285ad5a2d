-- What a session forgets: intervals without a row of their index are outages, of which nobody knows
-- whether anything was traded, and what is left to do after a session is known by what was done.

delete from empty_interval e
 where e.symbol = substring(e.symbol from '^[A-Z]+')
    or not exists (
       select from candle i
        where i.symbol = substring(e.symbol from '^[A-Z]+') and i.interval_minutes = 5 and i.final
          and i.open_time > e.open_time - interval '5 minutes' and i.open_time <= e.open_time
          and i.open_time + interval '5 minutes'
              >= e.open_time + make_interval(mins => e.interval_minutes))
   and e.interval_minutes <> (
       select count(*) from candle i
        where i.symbol = substring(e.symbol from '^[A-Z]+') and i.interval_minutes = 1 and i.final
          and i.open_time >= e.open_time
          and i.open_time < e.open_time + make_interval(mins => e.interval_minutes));

comment on table empty_interval is 'Intervals in which nothing was traded: the source, asked after their end, has no row, and their index has one; without that it is an outage, which stands nowhere';
comment on column empty_interval.symbol is 'future or option';

create table session_closed (
    session   date primary key,
    closed_at timestamptz not null,
    epoch     text not null,
    log_seq   bigint not null
);
comment on table session_closed is 'Sessions whose closing work the feed has done: gaps healed, greeks, signals and outcomes computed of all that is stored';
comment on column session_closed.session is 'trading date, IST';
comment on column session_closed.closed_at is 'market time, UTC';
comment on column session_closed.epoch is 'of the change log then';
comment on column session_closed.log_seq is 'the newest change that the work rests on: where the log has a later one of the session''s candles or build-ups, it is to be done again';
