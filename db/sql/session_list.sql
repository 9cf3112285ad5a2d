-- Stored sessions (IST dates) per underlying with their numbers of rows, newest first.
with counted as (
    select underlying, (open_time at time zone 'Asia/Kolkata')::date as session,
           count(*) as candles, 0 as build_ups, 0 as signals
      from candle where underlying = any(%(underlyings)s) group by 1, 2
    union all
    select underlying, (open_time at time zone 'Asia/Kolkata')::date, 0, count(*), 0
      from build_up where underlying = any(%(underlyings)s) group by 1, 2
    union all
    select underlying, session, 0, 0, count(*)
      from signal where underlying = any(%(underlyings)s) and withdrawn_at is null group by 1, 2
)
select underlying, session, sum(candles)::bigint as candles, sum(build_ups)::bigint as build_ups,
       sum(signals)::bigint as signals
  from counted
 group by underlying, session
 order by session desc, underlying
