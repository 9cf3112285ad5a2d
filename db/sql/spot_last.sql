-- The last price in [start, stop) known at a time: of the first of some symbols that has one.
select s.symbol, k.close as price, k.source
  from unnest(%(symbols)s::text[]) with ordinality s (symbol, rank),
       unnest('{1,5}'::smallint[]) i (minutes),
       lateral (
       select open_time, close, source from candle
        where candle.symbol = s.symbol and interval_minutes = i.minutes
          and open_time >= %(start)s and open_time < %(stop)s
          and (%(at)s::timestamptz is null or known_at <= %(at)s)
        order by open_time desc limit 1) k
 order by s.rank, k.open_time desc, i.minutes
 limit 1
