-- Candles of some symbols in [start, stop) as one JSON text of columns per symbol: for each symbol
-- and session the finest stored interval. Sessions lie within one UTC day.
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
), ordered as (
    select symbol, interval_minutes, extract(epoch from open_time)::bigint as t, open, high, low,
           close, volume, open_interest, final, ceil(extract(epoch from known_at))::bigint as k
      from finest
     where final or not %(only_final)s
)
select symbol, min(interval_minutes) as minutes,
       json_build_object(
           'minutes', min(interval_minutes),
           't', array_agg(t order by t), 'o', array_agg(open order by t),
           'h', array_agg(high order by t), 'l', array_agg(low order by t),
           'c', array_agg(close order by t), 'v', array_agg(volume order by t),
           'oi', array_agg(open_interest order by t), 'final', array_agg(final order by t),
           'k', array_agg(k order by t))::text as columns
  from ordered
 group by symbol
 order by symbol
