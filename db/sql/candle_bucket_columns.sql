-- As candle_columns.sql, in wider buckets that begin at the session's open and end with its close:
-- whole ones, of those that begin in [start, stop). Candles that do not fit into a bucket whole
-- (5 minutes into 3) stay as they are; a volume of which a part is unknown is unknown. A bucket is
-- final when its rows are and it is over: it ends, the session does, or a later candle is stored.
with finest as (
    select symbol, interval_minutes, open_time, open, high, low, close, volume, open_interest,
           final, known_at
      from candle
     where symbol = any(%(symbols)s) and interval_minutes = 1
       and open_time >= %(start)s and open_time < %(stop)s + make_interval(mins => %(width)s)
    union all
    select symbol, interval_minutes, open_time, open, high, low, close, volume, open_interest,
           final, known_at
      from candle coarse
     where symbol = any(%(symbols)s) and interval_minutes = 5
       and open_time >= %(start)s and open_time < %(stop)s + make_interval(mins => %(width)s)
       and not exists (
           select from candle finer
            where finer.symbol = coarse.symbol and finer.interval_minutes = 1
              and finer.open_time >= date_bin('1 day', coarse.open_time, '2000-01-01+00')
              and finer.open_time
                  < date_bin('1 day', coarse.open_time, '2000-01-01+00') + interval '1 day')
), fitted as (
    select *, (open_time at time zone 'UTC')::date as session,
           %(width)s::int %% interval_minutes = 0 as fits
      from finest
     where final or not %(only_final)s
), bucket as (
    select c.symbol,
           date_bin(case when c.fits then make_interval(mins => %(width)s) else '5 minutes' end,
                    c.open_time, coalesce(s.open_time, '2000-01-01 03:45+00')) as open_time,
           case when bool_and(c.fits) then %(width)s::int else 5 end as minutes,
           (array_agg(c.open order by c.open_time))[1] as open,
           max(c.high) as high, min(c.low) as low,
           (array_agg(c.close order by c.open_time desc))[1] as close,
           case when count(c.volume) = count(*) then sum(c.volume)::bigint end as volume,
           (array_agg(c.open_interest order by c.open_time desc)
                filter (where c.open_interest is not null))[1] as open_interest,
           bool_and(c.final) as final, max(c.known_at) as known_at,
           max(c.open_time + make_interval(mins => c.interval_minutes)) as until,
           min(c.session) as session, min(s.close_time) as special_close
      from fitted c
      left join special_hours s on s.session = c.session
     group by 1, 2
), closed as (
    select b.*, coalesce(
               b.special_close, (b.session + r.closes) at time zone 'Asia/Kolkata') as close_time
      from bucket b
      left join trading_hours r
        on r.first_day < r.last_day and b.session between r.first_day and r.last_day
     where b.open_time >= %(start)s and b.open_time < %(stop)s
), judged as (
    select symbol, minutes, extract(epoch from open_time)::bigint as t, open, high, low, close,
           volume, open_interest, ceil(extract(epoch from known_at))::bigint as k,
           final and (
               until >= open_time + make_interval(mins => minutes)
               or (until >= close_time and open_time < close_time)
               or exists (
                   select from candle later
                    where later.symbol = closed.symbol and later.interval_minutes in (1, 5)
                      and later.open_time >= closed.until)) as final
      from closed
)
select symbol, min(minutes) as minutes,
       json_build_object(
           'minutes', min(minutes),
           't', array_agg(t order by t), 'o', array_agg(open order by t),
           'h', array_agg(high order by t), 'l', array_agg(low order by t),
           'c', array_agg(close order by t), 'v', array_agg(volume order by t),
           'oi', array_agg(open_interest order by t), 'final', array_agg(final order by t),
           'k', array_agg(k order by t))::text as columns
  from judged
 group by symbol
 order by symbol
