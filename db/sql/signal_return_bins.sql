-- Returns at one horizon, of signals in (start, stop] and of the random entries beside those that
-- were entered, counted in bins [bin, bin + 1) * width; per version the finest width that needs few
-- enough. Single random entries are stored in the usual case only.
with chosen as (
    select *
      from signal_trades(
          %(history)s, %(fills)s, '-infinity', 'infinity', %(start)s, %(stop)s, %(underlying)s,
          %(strategy)s, %(version)s, %(direction)s)
     where horizon_minutes = %(horizon)s and exit_reason <> 'not_entered'
), outcome as (
    select false as random, strategy, version, return_points from chosen
    union all
    select true, c.strategy, c.version, r.return_points
      from chosen c
      join random_outcome r on r.beside = c.signal_id and r.horizon_minutes = c.horizon_minutes
     where c.history = 'corrected' and c.fills = 1
), scale as (
    select strategy, version,
           (select min(step) from unnest(%(steps)s::double precision[]) as step
             where max(return_points) - min(return_points) <= step * %(bins)s) as width
      from outcome
     group by strategy, version
)
select o.strategy, o.version, scale.width, floor(o.return_points / scale.width)::integer as bin,
       count(*) filter (where not o.random) as signals,
       count(*) filter (where o.random) as random
  from outcome o join scale using (strategy, version)
 group by o.strategy, o.version, scale.width, bin
 order by o.strategy, o.version, bin
