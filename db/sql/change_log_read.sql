-- The latest state of each row that changed after a cursor, in the order of the log, beside the
-- state of the log. Of contracts, chain open interest and greeks only which changed, and since when
-- they are known. One statement, so one snapshot. The lateral limits keep every row an index look-up,
-- however large the tables are.
with page as (
    select seq, relation, underlying, symbol, interval_minutes, moment, signal_id
      from change_log
     where seq > %(after)s and seq <= %(upto)s
     order by seq
     limit %(limit)s
), latest as (
    select distinct on (relation, symbol, interval_minutes, moment, signal_id) *
      from page
     order by relation, symbol, interval_minutes, moment, signal_id, seq desc
), log as (
    select * from change_log_state(%(stretch)s)
)
select log.epoch, log.stretch, log.pruned_to, log.newest, log.shared_to, latest.seq, latest.relation,
       latest.underlying, latest.symbol, latest.moment,
       coalesce(c.known_at, b.known_at, h.known_at, v.known_at) as known_at,
       c.symbol, c.interval_minutes, c.open_time, c.underlying, c.open, c.high, c.low, c.close,
       c.volume, c.open_interest, c.source, c.known_at, c.final, c.backfilled,
       b.symbol, b.open_time, b.underlying, b.close_time, b.close, b.open_interest, b.oi_change,
       b.volume, b.label, b.source, b.known_at, b.made_from, b.backfilled,
       s.signal_id, s.strategy, s.version, s.underlying, s.session, s.event_time, s.symbol,
       s.direction, s.kind, s.atm_strike, s.spot, s.net_delta_volume, s.strikes, s.entry, s.stop,
       s.target1, s.target2, s.entry_order, s.reasons, s.params_hash, s.input_watermark,
       s.known_at, s.withdrawn_at, s.revision, g.implied_volatility, g.delta
  from log
  left join latest on true
  left join lateral (
       select * from candle
        where latest.relation = 'candle' and candle.symbol = latest.symbol
          and candle.interval_minutes = latest.interval_minutes
          and candle.open_time = latest.moment
        limit 1) c on true
  left join lateral (
       select * from build_up
        where latest.relation = 'build_up' and build_up.symbol = latest.symbol
          and build_up.open_time = latest.moment
        limit 1) b on true
  left join lateral (
       select * from signal
        where latest.relation = 'signal' and signal.signal_id = latest.signal_id
        limit 1) s on true
  left join lateral (
       select * from signal_greeks
        where signal_greeks.signal_id = s.signal_id
        limit 1) g on true
  left join lateral (
       select chain_oi.known_at
         from contract join chain_oi using (underlying, expiry, strike)
        where latest.relation = 'chain_oi' and contract.symbol = latest.symbol
          and chain_oi.observed_at = latest.moment
        limit 1) h on true
  left join lateral (
       select known_at from greeks
        where latest.relation = 'greeks' and greeks.symbol = latest.symbol
          and greeks.open_time = latest.moment
          and greeks.interval_minutes = latest.interval_minutes
        limit 1) v on true
 order by latest.seq
