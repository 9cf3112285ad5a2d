-- Expiries within three months of a session that had contracts listed or traded in it, nearest
-- first.
select e.expiry
  from (select distinct expiry from contract
         where underlying = %(underlying)s
           and expiry between %(session)s::date and %(session)s::date + 92) e
 where exists (
       select from contract c
        where c.underlying = %(underlying)s and c.expiry = e.expiry
          and (%(session)s::date between c.first_seen and c.last_seen
               or exists (
                   select from candle k
                    where k.symbol = c.symbol and k.interval_minutes in (1, 5)
                      and k.open_time >= %(start)s and k.open_time < %(stop)s)))
 order by e.expiry
