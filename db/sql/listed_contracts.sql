-- Per session the strikes by expiry, from the session on, of the contracts known in it: seen by then,
-- and still then or later; or with candles of it that were known before the next day.
select d.session, c.expiry, array_agg(distinct c.strike order by c.strike) as strikes
  from unnest(%(sessions)s::date[]) d (session)
  join contract c on c.underlying = %(underlying)s and c.expiry >= d.session
 where d.session between c.first_seen and c.last_seen
    or exists (
       select from candle k
        where k.symbol = c.symbol and k.interval_minutes in (1, 5)
          and k.open_time >= d.session::timestamp at time zone 'Asia/Kolkata'
          and k.open_time < (d.session + 1)::timestamp at time zone 'Asia/Kolkata'
          and k.known_at < (d.session + 1)::timestamp at time zone 'Asia/Kolkata')
 group by d.session, c.expiry
 order by d.session, c.expiry
