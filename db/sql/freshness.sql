-- As of when the newest index candle and build-up of each underlying are; null when none is stored.
-- A candle tells of its interval's end, a forming one of when it came, less its source's delay.
select u.underlying, k.told_at as candle, b.close_time as build_up,
       coalesce(k.source = 'simulator', false) or coalesce(b.source = 'simulator', false)
           as simulated
  from unnest(%(underlyings)s::text[]) u (underlying)
  left join lateral (
       select source, greatest(open_time, least(
                  open_time + make_interval(mins => interval_minutes),
                  known_at - make_interval(secs => coalesce(s.delay_seconds, 0)))) as told_at
         from unnest('{1,5}'::smallint[]) i (minutes),
              lateral (
              select * from candle
               where candle.symbol = u.underlying and interval_minutes = i.minutes
               order by open_time desc limit 1) newest
         left join source_status s using (source)
        order by told_at desc limit 1) k on true
  left join lateral (
       select close_time, source from build_up where build_up.underlying = u.underlying
        order by open_time desc limit 1) b on true
