-- Signals of an underlying whose evaluated interval ended in (start, stop], oldest first, each with
-- the volatility and delta of its contract. The lateral limit keeps that an index look-up.
select signal_id, strategy, version, underlying, session, event_time, symbol, direction, kind,
       atm_strike, spot, net_delta_volume, strikes, entry, stop, target1, target2,
       entry_order, reasons, params_hash, input_watermark, known_at, withdrawn_at, revision,
       g.implied_volatility as iv, g.delta
  from signal
  left join lateral (
       select implied_volatility, delta from signal_greeks
        where signal_greeks.signal_id = signal.signal_id
        limit 1) g on true
 where underlying = %(underlying)s and event_time > %(start)s and event_time <= %(stop)s
   and (%(strategy)s::text is null or strategy = %(strategy)s)
   and (%(version)s::text is null or version = %(version)s)
 order by event_time, strategy, version, symbol
