-- When the newest candle and build-up of each underlying became known; null when none is stored.
select u.underlying,
       (select max(newest.known_at)
          from (select known_at from candle where candle.underlying = u.underlying
                 order by open_time desc limit 50) newest) as candle,
       (select max(newest.known_at)
          from (select known_at from build_up where build_up.underlying = u.underlying
                 order by open_time desc limit 50) newest) as build_up
  from unnest(%(underlyings)s::text[]) u (underlying)
