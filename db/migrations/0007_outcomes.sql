-- Outcomes with their trades and costs; statistics of any range of sessions.

alter table signal_outcome
    add column entered_at   timestamptz,
    add column entry_price  double precision,
    add column exited_at    timestamptz,
    add column exit_price   double precision,
    add column gross_points double precision,
    add column costs_points double precision check (costs_points >= 0),
    add constraint signal_outcome_exit_reason_check check (
        exit_reason in ('target1', 'stop', 'horizon', 'session_end', 'not_entered'));
alter table random_outcome
    add column beside       uuid references signal on delete cascade,
    add column symbol       text,
    add column entered_at   timestamptz,
    add column entry_price  double precision,
    add column exited_at    timestamptz,
    add column exit_price   double precision,
    add column exit_reason  text check (
        exit_reason in ('target1', 'stop', 'horizon', 'session_end')),
    add column gross_points double precision,
    add column costs_points double precision check (costs_points >= 0);

comment on column signal_outcome.horizon_minutes is 'minutes after entry: 5, 15, 30; 0 is the session''s end';
comment on column signal_outcome.mfe_points is 'largest gain over the whole horizon, whenever it was left, premium points';
comment on column signal_outcome.mae_points is 'largest loss over the whole horizon, whenever it was left, premium points';
comment on column signal_outcome.return_points is 'gross_points less costs_points';
comment on column signal_outcome.exit_reason is 'target1, stop, horizon, session_end, or not_entered: all numbers are zero';
comment on column signal_outcome.entered_at is 'start of the candle it was bought in, UTC; null if not entered';
comment on column signal_outcome.entry_price is 'premium, rupees; null if not entered';
comment on column signal_outcome.exited_at is 'end of the candle it was sold in, UTC; null if not entered';
comment on column signal_outcome.exit_price is 'premium, rupees; null if not entered';
comment on column signal_outcome.gross_points is 'exit less entry, premium points';
comment on column signal_outcome.costs_points is 'of buying and selling one lot, premium points per unit';
comment on column random_outcome.draw is 'number of the seeded draw; each signal has twenty';
comment on column random_outcome.horizon_minutes is 'minutes after entry: 5, 15, 30; 0 is the session''s end';
comment on column random_outcome.mfe_points is 'as in signal_outcome';
comment on column random_outcome.mae_points is 'as in signal_outcome';
comment on column random_outcome.return_points is 'as in signal_outcome';
comment on column random_outcome.beside is 'the signal whose side and distances it has';
comment on column random_outcome.symbol is 'what was bought: the contract that was ATM then';
comment on column random_outcome.entered_at is 'start of the candle it was bought in, UTC';
comment on column random_outcome.entry_price is 'premium, rupees';
comment on column random_outcome.exited_at is 'end of the candle it was sold in, UTC';
comment on column random_outcome.exit_price is 'premium, rupees';
comment on column random_outcome.exit_reason is 'target1, stop, horizon or session_end';
comment on column random_outcome.gross_points is 'as in signal_outcome';
comment on column random_outcome.costs_points is 'as in signal_outcome';
comment on column signal_rejection.reason is 'against_net_delta, missing_rows, no_reference, daily_loss_limit, or another that its strategy''s document names';

-- One end of Wilson's interval of a rate; z is negative for the lower end. Null without trials.
create function wilson(hits bigint, n bigint, z double precision) returns double precision
language sql immutable as $$
    select case when n > 0 then least(1, greatest(0,
        (hits + z * z / 2 + z * sqrt(hits * (n - hits) / n::double precision + z * z / 4))
        / (n + z * z))) end
$$;
comment on function wilson is 'One end of Wilson''s interval of a rate: z is -1.96 and 1.96 at 95 %';

drop view signal_stats;
create function signal_stats_between(first date, last date)
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
        select true, strategy, version, underlying, horizon_minutes, hit,
               mfe_points, mae_points, return_points, true
          from random_outcome
         where session between first and last
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
comment on function signal_stats_between is 'signal_stats of the sessions of a range, both ends included';

create view signal_stats as select * from signal_stats_between('-infinity', 'infinity');
comment on view signal_stats is 'Standing signals with outcomes, beside random entries of the same sessions: rates with their 95 % Wilson interval, means in premium points';
comment on column signal_stats.n is 'signals that were entered';
comment on column signal_stats.n_not_entered is 'signals that were not: they count in nothing else';
comment on column signal_stats.hit_rate is 'share with target 1 before the stop, within the horizon';
comment on column signal_stats.random_n is 'random entries';
