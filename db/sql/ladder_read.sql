-- The strike ladder of one expiry as known at a time: per listed contract the newest chain open
-- interest, build-up, price and greeks of the session whose known_at is not later. A price is that of
-- the candle or of the build-up, whichever ended later; a forming candle's is as of when it came, as
-- its states were kept.
-- Open interest is the newer of the chain's and the build-up's; where there is neither, the candle's.
-- Its change within five minutes and the label are of the last five minutes of the grid that had ended
-- by then, or unknown: never of older ones. Where no build-up tells the change, two ladders do.
-- Of all strikes, or of some.
select c.strike, c.option_type, c.symbol,
       case when p.by_build_up then b.close else k.close end as price,
       case when p.by_build_up then b.known_at else k.known_at end as price_at,
       case when p.by_build_up then b.close_time else k.ended_at end as price_ended_at,
       case when p.by_build_up then b.kind else k.kind end as price_from,
       case when f.oi_change is not null then f.label end as label,
       case when coalesce(f.oi_change, l.oi_change) is not null then e.ended_at end as label_at,
       coalesce(f.oi_change, l.oi_change) as oi_change_5m,
       o.open_interest, o.oi_at, o.open_interest - h.previous as oi_change,
       g.implied_volatility, g.delta, g.gamma, g.theta, g.vega, g.forward, g.forward_source,
       g.close_time as greeks_at
  from contract c
  left join lateral (
       select observed_at,
              case c.option_type when 'C' then call_oi else put_oi end as open_interest,
              case c.option_type when 'C' then call_prev_oi else put_prev_oi end as previous
         from chain_oi
        where chain_oi.underlying = c.underlying and chain_oi.expiry = c.expiry
          and chain_oi.strike = c.strike
          and observed_at >= %(start)s and observed_at < %(stop)s and known_at <= %(at)s
        order by observed_at desc limit 1) h on true
  left join lateral (
       select 'build_up' as kind, close, open_interest, close_time, known_at
         from build_up
        where build_up.symbol = c.symbol
          and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
        order by open_time desc limit 1) b on true
  left join lateral (
       select * from (
              (select 'candle' as kind, open_time, close, open_interest, known_at,
                      least(open_time + make_interval(mins => interval_minutes), known_at) as ended_at
                 from candle
                where candle.symbol = c.symbol and interval_minutes in (1, 5)
                  and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
                order by open_time desc, interval_minutes limit 1)
              union all
              (select 'candle', open_time, close, null, known_at,
                      least(open_time + make_interval(mins => interval_minutes), known_at)
                 from forming
                where forming.symbol = c.symbol
                  and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
                order by open_time desc, known_at desc limit 1)) seen
        order by open_time desc, known_at desc, open_interest limit 1) k on true
  left join lateral (
       select *, open_time + make_interval(mins => interval_minutes) as close_time from greeks
        where greeks.symbol = c.symbol
          and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
        order by open_time desc, interval_minutes desc limit 1) g on true
 cross join lateral (select k.ended_at is null or b.close_time > k.ended_at as by_build_up) p
 left join lateral (
       select open_interest, oi_at
         from (values (h.open_interest, h.observed_at, 1), (b.open_interest, b.close_time, 2),
                      (k.open_interest, k.ended_at, 3)) told (open_interest, oi_at, preference)
        where open_interest is not null
        order by preference = 3, oi_at desc, preference limit 1) o on true
 cross join lateral (
       select date_bin('5 minutes', o.oi_at, timestamptz '2000-01-01') as ended_at) e
  left join lateral (
       select label, oi_change from build_up
        where build_up.symbol = c.symbol and open_time = e.ended_at - interval '5 minutes'
          and open_time >= %(start)s and known_at <= %(at)s) f on true
  left join lateral (
       select case c.option_type when 'C' then later.call_oi - earlier.call_oi
                                 else later.put_oi - earlier.put_oi end as oi_change
         from chain_oi later join chain_oi earlier using (underlying, expiry, strike)
        where underlying = c.underlying and expiry = c.expiry and strike = c.strike
          and later.observed_at = e.ended_at and later.known_at <= %(at)s
          and earlier.observed_at = e.ended_at - interval '5 minutes'
          and earlier.observed_at >= %(start)s and earlier.known_at <= %(at)s) l on true
 where c.underlying = %(underlying)s and c.expiry = %(expiry)s
   and (%(strikes)s::integer[] is null or c.strike = any(%(strikes)s))
 order by c.strike, c.option_type
