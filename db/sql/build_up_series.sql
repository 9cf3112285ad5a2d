-- Build-ups in packed series: one row per session and contract, see db/market/packed.py.
-- Of each expiry that is the nearest at some time of a session; the source's list wins over the
-- calendar. Far strikes can never be in a cluster, so only those near the day's range are read;
-- all of them where no price is stored, so that it can be told that the price is missing.
-- The steps are materialised: a planner that takes them for small repeats them per contract.
with {nearest_expiries}, price as (
    select (open_time at time zone 'Asia/Kolkata')::date as session, underlying,
           min(low) as low, max(high) as high
      from candle
     where open_time >= date_trunc('day', %(first)s::timestamptz, 'Asia/Kolkata')
       and open_time < %(last)s::timestamptz and symbol = any(%(symbols)s)
     group by 1, 2
), near as materialized (
    select d.session, d.underlying, d.expiries, p.low, p.high
      from nearest d left join price p using (session, underlying)
), series as materialized (
    select n.*, b.*
      from near n
      cross join lateral (
           select symbol, count(*) as rows,
                  string_agg(timestamptz_send(open_time), '' order by open_time) as open_time,
                  string_agg(float8send(close), '' order by open_time) as close,
                  string_agg(int8send(coalesce(open_interest, %(unknown)s)), ''
                             order by open_time) as open_interest,
                  string_agg(int8send(coalesce(volume, %(unknown)s)), ''
                             order by open_time) as volume,
                  string_agg(timestamptz_send(known_at), '' order by open_time) as known_at
             from build_up
            where underlying = n.underlying
              and open_time >= n.session::timestamp at time zone 'Asia/Kolkata'
              and open_time < (n.session + 1)::timestamp at time zone 'Asia/Kolkata'
              and open_time >= %(first)s::timestamptz
            group by symbol) b
)
select s.session, s.underlying, s.symbol, c.expiry, c.strike, c.option_type, s.rows, s.open_time,
       s.close, s.open_interest, s.volume, s.known_at
  from series s
  join contract c on c.symbol = s.symbol and c.underlying = s.underlying and c.expiry = any(s.expiries)
   and (s.low is null or c.strike between s.low - %(reach)s and s.high + %(reach)s)
 order by s.session, s.underlying, s.symbol
