-- The opening price in [start, stop): of the first of some symbols that has one.
select s.symbol, k.open as price, k.source
  from unnest(%(symbols)s::text[]) with ordinality s (symbol, rank),
       unnest('{1,5}'::smallint[]) i (minutes),
       lateral (
       select open_time, open, source from candle
        where candle.symbol = s.symbol and interval_minutes = i.minutes
          and open_time >= %(start)s and open_time < %(stop)s
        order by open_time limit 1) k
 order by s.rank, k.open_time, i.minutes
 limit 1
