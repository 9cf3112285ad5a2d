-- One signal as it was before corrected inputs changed it, oldest first, each with when the values
-- that replaced it could be used. A signal that never changed has one row, all of it null.
select r.signal_id, r.strategy, r.version, r.underlying, r.session, r.event_time, r.symbol,
       r.direction, r.kind, r.atm_strike, r.spot, r.net_delta_volume, r.strikes, r.entry, r.stop,
       r.target1, r.target2, r.entry_order, r.reasons, r.params_hash, r.input_watermark, r.known_at,
       r.withdrawn_at, r.revision, r.revised_at
  from signal s left join signal_revision r using (signal_id)
 where s.signal_id = %(signal_id)s
 order by r.revision
