-- Which of some symbols belong to an underlying: listed contracts, and whatever has candles.
select s.symbol
  from unnest(%(symbols)s::text[]) s (symbol)
 where exists (select from contract c
                where c.symbol = s.symbol and c.underlying = %(underlying)s)
    or exists (select from candle k
                where k.symbol = s.symbol and k.interval_minutes in (1, 5)
                  and k.underlying = %(underlying)s)
