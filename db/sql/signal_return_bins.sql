-- Returns at one horizon, of signals in (start, stop] and of random entries of the same sessions,
-- counted in bins [bin, bin + 1) * width; per version the finest width that needs few enough bins.
with outcome as (
    select false as random, s.strategy, s.version, o.return_points
      from signal s join signal_outcome o using (signal_id)
     where s.underlying = %(underlying)s and s.withdrawn_at is null
       and s.event_time > %(start)s and s.event_time <= %(stop)s
       and o.horizon_minutes = %(horizon)s
       and (%(strategy)s::text is null or s.strategy = %(strategy)s)
       and (%(version)s::text is null or s.version = %(version)s)
       and (%(direction)s::text is null or s.direction = %(direction)s)
    union all
    select true, strategy, version, return_points
      from random_outcome
     where underlying = %(underlying)s and horizon_minutes = %(horizon)s
       and session >= (%(start)s::timestamptz at time zone 'Asia/Kolkata')::date
       and session <= ((%(stop)s::timestamptz - interval '1 microsecond')
                       at time zone 'Asia/Kolkata')::date
       and (%(strategy)s::text is null or strategy = %(strategy)s)
       and (%(version)s::text is null or version = %(version)s)
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
