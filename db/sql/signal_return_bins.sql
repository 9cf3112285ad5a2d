-- Returns at one horizon, of standing signals in (start, stop] and of the random entries beside
-- them, counted in bins [bin, bin + 1) * width; per version the finest width that needs few enough.
with outcome as (
    select o.random, s.strategy, s.version, o.return_points
      from signal s
      join (select signal_id, false as random, horizon_minutes, return_points from signal_outcome
             where exit_reason <> 'not_entered'
             union all
            select beside, true, horizon_minutes, return_points from random_outcome
           ) o using (signal_id)
     where s.underlying = %(underlying)s and s.withdrawn_at is null
       and s.event_time > %(start)s and s.event_time <= %(stop)s
       and o.horizon_minutes = %(horizon)s
       and (%(strategy)s::text is null or s.strategy = %(strategy)s)
       and (%(version)s::text is null or s.version = %(version)s)
       and (%(direction)s::text is null or s.direction = %(direction)s)
), scale as (
    select strategy, version,
           (select min(step) from unnest(%(steps)s::double precision[]) as step
             where max(return_points) - min(return_points) <= step * %(bins)s) as width
      from outcome
     group by strategy, version
    having not bool_and(random)
)
select o.strategy, o.version, scale.width, floor(o.return_points / scale.width)::integer as bin,
       count(*) filter (where not o.random) as signals,
       count(*) filter (where o.random) as random
  from outcome o join scale using (strategy, version)
 group by o.strategy, o.version, scale.width, bin
 order by o.strategy, o.version, bin
