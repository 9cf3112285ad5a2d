-- signal_stats of the standing signals in (start, stop] and of the random entries beside them.
with tally as (
    select o.random, s.strategy, s.version, o.horizon_minutes,
           count(*) filter (where entered) as n,
           count(*) filter (where not entered) as n_not_entered,
           count(*) filter (where hit) as hits,
           avg(mfe_points) filter (where entered) as mfe,
           avg(mae_points) filter (where entered) as mae,
           avg(return_points) filter (where entered) as result
      from signal s
      join (select signal_id, false as random, horizon_minutes, hit, mfe_points, mae_points,
                   return_points, exit_reason <> 'not_entered' as entered
              from signal_outcome
             union all
            select beside, true, horizon_minutes, hit, mfe_points, mae_points, return_points, true
              from random_outcome) o using (signal_id)
     where s.underlying = %(underlying)s and s.withdrawn_at is null
       and s.event_time > %(start)s and s.event_time <= %(stop)s
       and (%(strategy)s::text is null or s.strategy = %(strategy)s)
       and (%(version)s::text is null or s.version = %(version)s)
       and (%(direction)s::text is null or s.direction = %(direction)s)
     group by 1, 2, 3, 4
)
select s.strategy, s.version, %(underlying)s::text as underlying, s.horizon_minutes, s.n,
       s.n_not_entered,
       s.hits::double precision / nullif(s.n, 0) as hit_rate,
       wilson(s.hits, s.n, -1.96) as hit_rate_low, wilson(s.hits, s.n, 1.96) as hit_rate_high,
       s.mfe as mean_mfe_points, s.mae as mean_mae_points, s.result as mean_return_points,
       coalesce(r.n, 0) as random_n, r.hits::double precision / r.n as random_hit_rate,
       wilson(r.hits, r.n, -1.96) as random_hit_rate_low,
       wilson(r.hits, r.n, 1.96) as random_hit_rate_high, r.mfe as random_mean_mfe_points,
       r.mae as random_mean_mae_points, r.result as random_mean_return_points
  from tally s
  left join tally r on r.random and r.strategy = s.strategy and r.version = s.version
   and r.horizon_minutes = s.horizon_minutes
 where not s.random
 order by s.strategy, s.version, s.horizon_minutes = 0, s.horizon_minutes
