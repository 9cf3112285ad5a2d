-- Build-ups in [start, stop) of an underlying's symbols, in the order they became known.
select symbol, open_time, underlying, close_time, close, open_interest, oi_change, volume, label,
       source, known_at
  from build_up
 where underlying = %(underlying)s and open_time >= %(start)s and open_time < %(stop)s
   and (%(symbols)s::text[] is null or symbol = any(%(symbols)s))
 order by known_at, open_time, symbol
