-- Expiries on or after a session, however far, that had contracts listed or traded in it, nearest
-- first. Candles are looked for only of contracts that were not listed by then or no longer.
select expiry from contract
 where underlying = %(underlying)s and expiry >= %(session)s::date
   and %(session)s::date between first_seen and last_seen
union
select c.expiry from contract c
 where c.underlying = %(underlying)s and c.expiry >= %(session)s::date
   and not %(session)s::date between c.first_seen and c.last_seen
   and exists (
       select from candle k
        where k.symbol = c.symbol and k.interval_minutes in (1, 5)
          and k.open_time >= %(start)s and k.open_time < %(stop)s)
 order by expiry
