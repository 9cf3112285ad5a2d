-- signal_stats of a range: standing signals in (start, stop], random entries of the same sessions.
with outcome as (
    select false as random, s.strategy, s.version, o.horizon_minutes, o.hit,
           o.mfe_points, o.mae_points, o.return_points
      from signal s join signal_outcome o using (signal_id)
     where s.underlying = %(underlying)s and s.withdrawn_at is null
       and s.event_time > %(start)s and s.event_time <= %(stop)s
       and (%(strategy)s::text is null or s.strategy = %(strategy)s)
       and (%(version)s::text is null or s.version = %(version)s)
       and (%(direction)s::text is null or s.direction = %(direction)s)
    union all
    select true, strategy, version, horizon_minutes, hit, mfe_points, mae_points, return_points
      from random_outcome
     where underlying = %(underlying)s
       and session >= (%(start)s::timestamptz at time zone 'Asia/Kolkata')::date
       and session <= ((%(stop)s::timestamptz - interval '1 microsecond')
                       at time zone 'Asia/Kolkata')::date
       and (%(strategy)s::text is null or strategy = %(strategy)s)
       and (%(version)s::text is null or version = %(version)s)
), tally as (
    select random, strategy, version, horizon_minutes, count(*) as n,
           avg(hit::int)::double precision as hit_rate, avg(mfe_points) as mean_mfe_points,
           avg(mae_points) as mean_mae_points, avg(return_points) as mean_return_points
      from outcome
     group by random, strategy, version, horizon_minutes
), rated as (
    -- The interval is Wilson's with z = 1.96, as in the view signal_stats.
    select *, (hit_rate + 1.9208 / n - spread) / (1 + 3.8416 / n) as hit_rate_low,
           (hit_rate + 1.9208 / n + spread) / (1 + 3.8416 / n) as hit_rate_high
      from tally,
           lateral (select 1.96 * sqrt(hit_rate * (1 - hit_rate) / n + 0.9604 / (n * n))) w (spread)
)
select s.strategy, s.version, s.horizon_minutes, s.n, s.hit_rate, s.hit_rate_low, s.hit_rate_high,
       s.mean_mfe_points, s.mean_mae_points, s.mean_return_points, r.n as random_n,
       r.hit_rate as random_hit_rate, r.hit_rate_low as random_hit_rate_low,
       r.hit_rate_high as random_hit_rate_high, r.mean_mfe_points as random_mean_mfe_points,
       r.mean_mae_points as random_mean_mae_points,
       r.mean_return_points as random_mean_return_points
  from rated s
  left join rated r on r.random and r.strategy = s.strategy and r.version = s.version
   and r.horizon_minutes = s.horizon_minutes
 where not s.random
 order by s.strategy, s.version, s.horizon_minutes = 0, s.horizon_minutes
