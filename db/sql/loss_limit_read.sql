-- The first known rejection by the daily loss limit of each session of a range; the limit was reached
-- when the candle ended that made the last of its trades lost. By version, as the primary key has it:
-- this is read every two seconds.
select r.underlying, v.strategy, v.version, r.session, r.since, r.known_at
  from strategy_version v
 cross join lateral (
       select distinct on (underlying, session) underlying, session, known_at,
              (select max((stopped #>> '{}')::timestamptz)
                 from jsonb_path_query(details, '$.losing_signals[*].stopped_by') stopped) as since
         from signal_rejection
        where strategy = v.strategy and version = v.version
          and underlying = any(%(underlyings)s)
          and event_time > %(start)s and event_time <= %(stop)s
          and reason = 'daily_loss_limit' and known_at <= %(known)s
        order by underlying, session, known_at, event_time) r
 order by r.session, r.underlying, v.strategy, v.version
