-- Stored sessions (IST dates with candles) per underlying with their numbers of rows, newest first:
-- one index probe per date, then counts that read only the indexes.
with recursive found (underlying, session) as (
    select u.underlying,
           (select (min(open_time) at time zone 'Asia/Kolkata')::date
              from candle where candle.underlying = u.underlying)
      from unnest(%(underlyings)s::text[]) u (underlying)
    union all
    select found.underlying,
           (select (min(open_time) at time zone 'Asia/Kolkata')::date
              from candle
             where candle.underlying = found.underlying
               and open_time >= (found.session + 1)::timestamp at time zone 'Asia/Kolkata')
      from found
     where found.session is not null
), day as (
    select underlying, session, session::timestamp at time zone 'Asia/Kolkata' as start,
           (session + 1)::timestamp at time zone 'Asia/Kolkata' as stop
      from found
     where session is not null
)
select day.underlying, day.session,
       (select count(*) from candle
         where candle.underlying = day.underlying
           and open_time >= day.start and open_time < day.stop) as candles,
       (select count(*) from build_up
         where build_up.underlying = day.underlying
           and open_time >= day.start and open_time < day.stop) as build_ups,
       (select count(*) from signal
         where signal.underlying = day.underlying and signal.withdrawn_at is null
           and event_time > day.start and event_time <= day.stop) as signals
  from day
 order by day.session desc, day.underlying
