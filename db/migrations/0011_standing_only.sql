-- Random entries count while the signal that they stand beside does, as the signals themselves.

create or replace function signal_stats_between(first date, last date)
returns table (
    strategy text, version text, underlying text, horizon_minutes integer, n bigint,
    n_not_entered bigint, hit_rate double precision, hit_rate_low double precision,
    hit_rate_high double precision, mean_mfe_points double precision,
    mean_mae_points double precision, mean_return_points double precision, random_n bigint,
    random_hit_rate double precision, random_hit_rate_low double precision,
    random_hit_rate_high double precision, random_mean_mfe_points double precision,
    random_mean_mae_points double precision, random_mean_return_points double precision)
language sql stable as $$
    with outcome as (
        select false as random, s.strategy, s.version, s.underlying, o.horizon_minutes, o.hit,
               o.mfe_points, o.mae_points, o.return_points, o.exit_reason <> 'not_entered' as entered
          from signal s join signal_outcome o using (signal_id)
         where s.withdrawn_at is null and s.session between first and last
        union all
        select true, o.strategy, o.version, o.underlying, o.horizon_minutes, o.hit,
               o.mfe_points, o.mae_points, o.return_points, true
          from random_outcome o join signal s on s.signal_id = o.beside
         where s.withdrawn_at is null and o.session between first and last
    ), tally as (
        select o.random, o.strategy, o.version, o.underlying, o.horizon_minutes,
               count(*) filter (where entered) as n,
               count(*) filter (where not entered) as n_not_entered,
               count(*) filter (where hit) as hits,
               avg(mfe_points) filter (where entered) as mfe,
               avg(mae_points) filter (where entered) as mae,
               avg(return_points) filter (where entered) as result
          from outcome o
         group by 1, 2, 3, 4, 5
    )
    select s.strategy, s.version, s.underlying, s.horizon_minutes, s.n, s.n_not_entered,
           s.hits::double precision / nullif(s.n, 0), wilson(s.hits, s.n, -1.96),
           wilson(s.hits, s.n, 1.96), s.mfe, s.mae, s.result, coalesce(r.n, 0),
           r.hits::double precision / r.n, wilson(r.hits, r.n, -1.96), wilson(r.hits, r.n, 1.96),
           r.mfe, r.mae, r.result
      from tally s
      left join tally r on r.random and r.strategy = s.strategy and r.version = s.version
       and r.underlying = s.underlying and r.horizon_minutes = s.horizon_minutes
     where not s.random
$$;

comment on column strategy_version.live is 'computed for every session by the feed, by Dagster and by recomputations; others only where they have rows, which follow corrections; set it to choose';
