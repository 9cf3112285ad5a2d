-- The strike ladder of one expiry as known at a time: per listed contract the newest chain open
-- interest, build-up label, price and greeks of the session whose known_at is not later. Where no chain was
-- observed, the contract's own rows tell its open interest.
select c.strike, c.option_type, c.symbol, coalesce(k.close, b.close) as price, b.label,
       coalesce(h.open_interest, b.open_interest, k.open_interest) as open_interest,
       h.open_interest - h.previous as oi_change, h.observed_at,
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
       select close, label, open_interest from build_up
        where build_up.symbol = c.symbol
          and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
        order by open_time desc limit 1) b on true
  left join lateral (
       select close, open_interest from candle
        where candle.symbol = c.symbol and interval_minutes in (1, 5)
          and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
        order by open_time desc, interval_minutes limit 1) k on true
  left join lateral (
       select *, open_time + make_interval(mins => interval_minutes) as close_time from greeks
        where greeks.symbol = c.symbol
          and open_time >= %(start)s and open_time < %(stop)s and known_at <= %(at)s
        order by open_time desc, interval_minutes desc limit 1) g on true
 where c.underlying = %(underlying)s and c.expiry = %(expiry)s
 order by c.strike, c.option_type
