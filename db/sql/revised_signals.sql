-- Signals of an underlying in (start, stop] as they were before corrected inputs changed them, each
-- with when the values that replaced it could be used.
select r.signal_id, r.strategy, r.version, r.underlying, r.session, r.event_time, r.symbol,
       r.direction, r.kind, r.atm_strike, r.spot, r.net_delta_volume, r.strikes, r.entry, r.stop,
       r.target1, r.target2, r.entry_order, r.reasons, r.params_hash, r.input_watermark, r.known_at,
       r.withdrawn_at, r.revision, r.revised_at
  from signal_revision r
 where r.underlying = %(underlying)s
   and r.event_time > %(start)s and r.event_time <= %(stop)s
 order by r.signal_id, r.revision
