-- When a ladder that was read at a time shows more by the mere passing of time: the next moment at
-- which one of its session's rows becomes known, or a later session has begun. Null for never.
select least(
       (select min(candle.known_at) from candle
         where candle.underlying = %(underlying)s
           and open_time >= %(start)s and open_time < %(stop)s and candle.known_at > %(at)s),
       (select min(build_up.known_at) from build_up
         where build_up.underlying = %(underlying)s
           and open_time >= %(start)s and open_time < %(stop)s and build_up.known_at > %(at)s),
       (select min(chain_oi.known_at) from chain_oi
         where chain_oi.underlying = %(underlying)s and chain_oi.expiry = %(expiry)s
           and observed_at >= %(start)s and observed_at < %(stop)s and chain_oi.known_at > %(at)s),
       (select min(greeks.known_at) from greeks
         where greeks.underlying = %(underlying)s
           and open_time >= %(start)s and open_time < %(stop)s and greeks.known_at > %(at)s),
       (select min(open_time) + interval '1 microsecond' from candle
         where candle.underlying = %(underlying)s
           and open_time >= greatest(%(stop)s::timestamptz, %(at)s::timestamptz)))
