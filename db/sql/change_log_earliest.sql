-- From which moment on the inputs of signals changed after a cursor, per underlying: build-ups,
-- final candles and candles that will never come, of a time range; and whether a build-up or a
-- price that places ATM is among them; beside the state of the log. One statement, so one snapshot.
with log as (
    select * from change_log_state(%(stretch)s)
), changed as (
    select l.underlying, min(l.moment) as moment,
           bool_or(l.relation = 'build_up'
                   or l.relation = 'candle' and l.symbol = any(%(symbols)s)
                      and (l.moment + make_interval(mins => l.interval_minutes)
                           = date_bin('5 minutes', l.moment, '2000-01-01 03:45+00')
                             + interval '5 minutes')) as placing
      from change_log l
      left join lateral (
           select final from candle
            where l.relation = 'candle' and candle.symbol = l.symbol
              and candle.interval_minutes = l.interval_minutes and candle.open_time = l.moment
            limit 1) c on true
     where l.seq > %(after)s and l.underlying = any(%(underlyings)s)
       and l.moment >= %(first)s::timestamptz and l.moment < %(last)s::timestamptz
       and (l.relation in ('build_up', 'empty_interval') or c.final)
     group by l.underlying
)
select log.epoch, log.stretch, log.pruned_to, log.newest, log.shared_to,
       changed.underlying, changed.moment, changed.placing
  from log left join changed on true
