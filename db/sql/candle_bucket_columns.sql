-- As candle_columns.sql, in wider buckets anchored at 09:15 IST (03:45 UTC). A bucket is final when
-- its rows are and it is over: it ends, or a later candle of the symbol is stored.
with finest as (
    select symbol, interval_minutes, open_time, open, high, low, close, volume, open_interest,
           final, known_at
      from candle
     where symbol = any(%(symbols)s) and interval_minutes = 1
       and open_time >= %(start)s and open_time < %(stop)s
    union all
    select symbol, interval_minutes, open_time, open, high, low, close, volume, open_interest,
           final, known_at
      from candle coarse
     where symbol = any(%(symbols)s) and interval_minutes = 5
       and open_time >= %(start)s and open_time < %(stop)s
       and not exists (
           select from candle finer
            where finer.symbol = coarse.symbol and finer.interval_minutes = 1
              and finer.open_time >= date_bin('1 day', coarse.open_time, '2000-01-01+00')
              and finer.open_time
                  < date_bin('1 day', coarse.open_time, '2000-01-01+00') + interval '1 day')
), bucket as (
    select symbol,
           date_bin(make_interval(mins => %(width)s), open_time, '2000-01-01 03:45+00') as open_time,
           (array_agg(open order by open_time))[1] as open, max(high) as high, min(low) as low,
           (array_agg(close order by open_time desc))[1] as close,
           sum(volume)::bigint as volume,
           (array_agg(open_interest order by open_time desc)
                filter (where open_interest is not null))[1] as open_interest,
           bool_and(final) as final, max(known_at) as known_at,
           max(open_time + make_interval(mins => interval_minutes)) as until
      from finest
     where final or not %(only_final)s
     group by 1, 2
), judged as (
    select symbol, extract(epoch from open_time)::bigint as t, open, high, low, close, volume,
           open_interest, extract(epoch from known_at)::bigint as k,
           final and (
               until >= open_time + make_interval(mins => %(width)s)
               or lead(open_time) over (partition by symbol order by open_time) is not null
               or exists (
                   select from candle later
                    where later.symbol = bucket.symbol and later.interval_minutes in (1, 5)
                      and later.open_time >= bucket.until)) as final
      from bucket
)
select symbol, %(width)s::int as minutes,
       json_build_object(
           'minutes', %(width)s::int,
           't', array_agg(t order by t), 'o', array_agg(open order by t),
           'h', array_agg(high order by t), 'l', array_agg(low order by t),
           'c', array_agg(close order by t), 'v', array_agg(volume order by t),
           'oi', array_agg(open_interest order by t), 'final', array_agg(final order by t),
           'k', array_agg(k order by t))::text as columns
  from judged
 group by symbol
 order by symbol
