-- Build-ups of some symbols in [start, stop) as one JSON text of columns per symbol.
with ordered as (
    select symbol, extract(epoch from open_time)::bigint as t, close, open_interest, oi_change,
           volume, label, ceil(extract(epoch from known_at))::bigint as k
      from build_up
     where symbol = any(%(symbols)s) and open_time >= %(start)s and open_time < %(stop)s
)
select symbol,
       json_build_object(
           't', array_agg(t order by t), 'close', array_agg(close order by t),
           'oi', array_agg(open_interest order by t),
           'oi_change', array_agg(oi_change order by t),
           'volume', array_agg(volume order by t), 'label', array_agg(label order by t),
           'k', array_agg(k order by t))::text as columns
  from ordered
 group by symbol
 order by symbol
