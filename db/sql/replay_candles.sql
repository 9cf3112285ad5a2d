-- Final candles in [start, stop) of an underlying's symbols, in the order they became known.
select symbol, interval_minutes, open_time, underlying, open, high, low, close, volume,
       open_interest, source, known_at, final
  from candle
 where underlying = %(underlying)s and open_time >= %(start)s and open_time < %(stop)s and final
   and (%(symbols)s::text[] is null or symbol = any(%(symbols)s))
 order by known_at, open_time, symbol, interval_minutes
