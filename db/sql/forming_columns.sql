-- The states of forming candles of some symbols in [start, stop), the last one of each second, as
-- one JSON text of columns per symbol; null instead of the text where there are more than a limit.
-- A second is over before its state shows: nothing is shown before it was known.
with state as materialized (
    select distinct on (symbol, open_time, k)
           symbol, extract(epoch from open_time)::bigint as t, open, high, low, close, volume,
           ceil(extract(epoch from known_at))::bigint as k
      from forming
     where symbol = any(%(symbols)s) and open_time >= %(start)s and open_time < %(stop)s
     order by symbol, open_time, k, known_at desc
     limit %(limit)s + 1
), series as (
    select symbol,
           json_build_object(
               't', array_agg(t order by k, t), 'o', array_agg(open order by k, t),
               'h', array_agg(high order by k, t), 'l', array_agg(low order by k, t),
               'c', array_agg(close order by k, t), 'v', array_agg(volume order by k, t),
               'k', array_agg(k order by k, t)) as columns
      from state
     where (select count(*) from state) <= %(limit)s
     group by symbol
)
select case when (select count(*) from state) <= %(limit)s
            then coalesce((select json_object_agg(symbol, columns) from series), '{}')::text end
