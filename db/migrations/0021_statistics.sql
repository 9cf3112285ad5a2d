-- Statistics that survive an audit: fills, two histories, matched draws, intervals by session.

-- What is stored was bought at last prices and drawn anywhere in the session, which would pass for
-- what it is called from now on. `optionscalp outcomes` computes all of it again.
delete from signal_outcome;
delete from random_outcome;

-- What a gap hides is unknown; the exit before it is not.
alter table signal_outcome alter column mfe_points drop not null, alter column mae_points drop not null;
alter table random_outcome alter column mfe_points drop not null, alter column mae_points drop not null;
alter table signal_outcome add column lot_size integer check (lot_size > 0);
create index random_outcome_beside on random_outcome (beside, horizon_minutes);

comment on column signal_outcome.mfe_points is 'largest gain over the whole horizon, whenever it was left, premium points, 0 if none; null where a gap hides it';
comment on column signal_outcome.mae_points is 'largest loss over the whole horizon, whenever it was left, premium points, 0 if none; null where a gap hides it';
comment on column signal_outcome.entry_price is 'premium paid, spread and slippage included, rupees; null if not entered';
comment on column signal_outcome.exit_price is 'premium received, spread and slippage taken off, rupees; null if not entered';
comment on column signal_outcome.lot_size is 'units that one lot had; null if computed before it was kept';
comment on column random_outcome.draw is 'number of the seeded draw; each signal has up to five';
comment on column random_outcome.symbol is 'what was bought: as far from the money as the signal''s contract';
comment on table random_outcome is 'The same measures for random entries matched to the signals that stand: same session and side, within ten minutes, as far from the money; usual fills';

create table signal_outcome_case (
    signal_id            uuid not null references signal on delete cascade,
    horizon_minutes      integer not null,
    history              text not null check (history in ('corrected', 'known_then')),
    fills                integer not null check (fills in (0, 1, 2)),
    mfe_points           double precision check (mfe_points >= 0),
    mae_points           double precision check (mae_points >= 0),
    return_points        double precision not null,
    hit                  boolean not null,
    exit_reason          text not null check (
        exit_reason in ('target1', 'stop', 'horizon', 'session_end', 'not_entered')),
    entered_at           timestamptz,
    entry_price          double precision,
    exited_at            timestamptz,
    exit_price           double precision,
    gross_points         double precision,
    costs_points         double precision check (costs_points >= 0),
    lot_size             integer check (lot_size > 0),
    random_n             integer not null check (random_n >= 0),
    random_hits          integer not null check (random_hits between 0 and random_n),
    random_mfe_points    double precision,
    random_mae_points    double precision,
    random_return_points double precision,
    primary key (signal_id, horizon_minutes, history, fills),
    -- That case is signal_outcome itself, with its draws in random_outcome.
    check (history <> 'corrected' or fills <> 1)
);
comment on table signal_outcome_case is 'Outcomes in other histories and with other fills than signal_outcome has; columns as there';
comment on column signal_outcome_case.signal_id is 'signal';
comment on column signal_outcome_case.horizon_minutes is 'minutes after entry: 5, 15, 30; 0 is the session''s end';
comment on column signal_outcome_case.mfe_points is 'as in signal_outcome';
comment on column signal_outcome_case.mae_points is 'as in signal_outcome';
comment on column signal_outcome_case.return_points is 'gross_points less costs_points';
comment on column signal_outcome_case.hit is 'target 1 before stop';
comment on column signal_outcome_case.exit_reason is 'as in signal_outcome';
comment on column signal_outcome_case.entered_at is 'start of the candle it was bought in, UTC; null if not entered';
comment on column signal_outcome_case.entry_price is 'premium paid, rupees; null if not entered';
comment on column signal_outcome_case.exited_at is 'end of the candle it was sold in, UTC; null if not entered';
comment on column signal_outcome_case.exit_price is 'premium received, rupees; null if not entered';
comment on column signal_outcome_case.gross_points is 'exit less entry, premium points';
comment on column signal_outcome_case.costs_points is 'charges of buying and selling one lot, premium points per unit';
comment on column signal_outcome_case.lot_size is 'units that one lot had';
comment on column signal_outcome_case.history is 'corrected: signals that stand; known_then: all that were ever given, withdrawn ones too, as they first were, from when they were first known';
comment on column signal_outcome_case.fills is 'spreads paid in a round trip, 0, 1 or 2, slippage of stops as often; 0 is the last price';
comment on column signal_outcome_case.random_n is 'matched random entries beside it that have an outcome';
comment on column signal_outcome_case.random_hits is 'of those: target 1 before the stop';
comment on column signal_outcome_case.random_mfe_points is 'their mean; null without any';
comment on column signal_outcome_case.random_mae_points is 'their mean; null without any';
comment on column signal_outcome_case.random_return_points is 'their mean after costs; null without any';

create view signal_trade as
select s.signal_id, s.strategy, s.version, s.underlying, s.session, s.event_time, s.symbol,
       s.direction, o.horizon_minutes, o.history, o.fills, o.exit_reason, o.hit, o.entered_at,
       o.entry_price, o.exited_at, o.exit_price, o.gross_points, o.costs_points, o.return_points,
       o.mfe_points, o.mae_points, o.lot_size, o.random_n, o.random_hits, o.random_mfe_points,
       o.random_mae_points, o.random_return_points
  from signal s
  join (select signal_id, horizon_minutes, 'corrected' as history, 1 as fills, exit_reason, hit,
               entered_at, entry_price, exited_at, exit_price, gross_points, costs_points,
               return_points, mfe_points, mae_points, lot_size, r.*
          from signal_outcome o
         cross join lateral (
               select count(*)::integer as random_n,
                      (count(*) filter (where r.hit))::integer as random_hits,
                      avg(r.mfe_points) as random_mfe_points,
                      avg(r.mae_points) as random_mae_points,
                      avg(r.return_points) as random_return_points
                 from random_outcome r
                where r.beside = o.signal_id and r.horizon_minutes = o.horizon_minutes) r
        union all
        select signal_id, horizon_minutes, history, fills, exit_reason, hit,
               entered_at, entry_price, exited_at, exit_price, gross_points, costs_points,
               return_points, mfe_points, mae_points, lot_size, random_n, random_hits,
               random_mfe_points, random_mae_points, random_return_points
          from signal_outcome_case) o using (signal_id)
 where o.history = 'known_then' or s.withdrawn_at is null;
comment on view signal_trade is 'Each signal''s trade in every case: by horizon, history and fills, with what its random entries came to';
comment on column signal_trade.history is 'corrected or known_then';
comment on column signal_trade.fills is 'spreads paid in a round trip';

-- The two-sided quantile of Student's t, by its finite series in the angle whose tangent is
-- t / sqrt(freedom). Above 100 it hardly falls, so that 100 stands for more.
create function student_t(confidence double precision, freedom bigint) returns double precision
language plpgsql immutable strict as $$
declare
    degrees  integer := least(freedom, 100);
    low      double precision := 0;
    high     double precision := pi() / 2;
    angle    double precision;
    squared  double precision;
    term     double precision;
    share    double precision;
    exponent integer;
begin
    if degrees < 1 then
        return null;
    end if;
    for step in 1 .. 45 loop
        angle := (low + high) / 2;
        squared := cos(angle) * cos(angle);
        exponent := degrees % 2;
        term := case when exponent = 1 then cos(angle) else 1 end;
        share := case when degrees = 1 then 0 else term end;
        while exponent < degrees - 2 loop
            term := term * squared * (exponent + 1) / (exponent + 2);
            share := share + term;
            exponent := exponent + 2;
        end loop;
        share := share * sin(angle);
        if degrees % 2 = 1 then
            share := (share + angle) * 2 / pi();
        end if;
        if share < confidence then
            low := angle;
        else
            high := angle;
        end if;
    end loop;
    return sqrt(degrees) * tan(high);
end
$$;
comment on function student_t is 'Two-sided quantile of Student''s t: 2.262 for 0.95 and 9 degrees of freedom; more than 100 degrees count as 100';

-- With fewer sessions than this nothing is said about luck.
create function sessions_needed() returns integer language sql immutable as $$ select 10 $$;
comment on function sessions_needed is 'Fewest sessions that give intervals and verdicts';

-- The standard error of a mean of n trades whose sessions differ by so much in all, squared.
create function clustered(squares double precision, sessions bigint, n numeric)
returns double precision language sql immutable as $$
    select sqrt(squares * sessions / nullif(sessions - 1, 0)) / nullif(n, 0)::double precision
$$;
comment on function clustered is 'Standard error of a mean over n trades of sessions that stand or fall together, from the sum of the squares by which sessions differ from it';

create function signal_trades(
    of_history text, of_fills integer, first date, last date,
    since timestamptz default '-infinity', until timestamptz default 'infinity',
    of_underlying text default null, of_strategy text default null,
    of_version text default null, of_direction text default null)
returns setof signal_trade language sql stable as $$
    select *
      from signal_trade t
     where t.history = of_history and t.fills = of_fills
       and t.session between first and last
       and t.event_time > since and t.event_time <= until
       and (of_underlying is null or t.underlying = of_underlying)
       and (of_strategy is null or t.strategy = of_strategy)
       and (of_version is null or t.version = of_version)
       and (of_direction is null or t.direction = of_direction)
$$;
comment on function signal_trades is 'signal_trade of one history with one number of spreads, of sessions first to last and events in (since, until]; null chooses all';

drop view signal_stats;
drop function signal_stats_between;

create function signal_statistics(
    of_history text, of_fills integer, first date, last date,
    since timestamptz default '-infinity', until timestamptz default 'infinity',
    of_underlying text default null, of_strategy text default null,
    of_version text default null, of_direction text default null)
returns table (
    strategy text, version text, underlying text, horizon_minutes integer, n bigint,
    n_not_entered bigint, hit_rate double precision, hit_rate_low double precision,
    hit_rate_high double precision, mean_mfe_points double precision,
    mean_mae_points double precision, mean_return_points double precision, random_n bigint,
    random_hit_rate double precision, random_hit_rate_low double precision,
    random_hit_rate_high double precision, random_mean_mfe_points double precision,
    random_mean_mae_points double precision, random_mean_return_points double precision,
    history text, fills integer, sessions bigint, n_missing bigint, hits bigint,
    hits_that_lost bigint, hit_rate_if_lost double precision, hit_rate_if_won double precision,
    mean_return_low double precision, mean_return_high double precision,
    median_return_points double precision, profit_factor double precision,
    total_points double precision, total_rupees double precision, losing_run bigint,
    worst_run_points double precision, worst_run_rupees double precision,
    drawdown_points double precision, drawdown_rupees double precision, matched_n bigint,
    matched_sessions bigint, difference_points double precision, difference_low double precision,
    difference_high double precision, hit_difference double precision,
    hit_difference_low double precision, hit_difference_high double precision,
    comparisons bigint, adjusted_low double precision, adjusted_high double precision,
    verdict text)
language sql stable as $$
    with trade as materialized (
        select t.*, t.exit_reason <> 'not_entered' as entered,
               t.exit_reason <> 'not_entered' and t.random_n > 0 as matched,
               t.return_points - t.random_return_points as difference,
               t.hit::integer - t.random_hits::double precision / nullif(t.random_n, 0)
                   as hit_difference
          from signal_trades(of_history, of_fills, first, last, since, until, of_underlying,
                             of_strategy, of_version, of_direction) t
    ), wanted as materialized (
        select s.strategy, s.version, s.underlying, count(*) as n
          from signal s
         where (of_history = 'known_then' or s.withdrawn_at is null)
           and s.session between first and last
           and s.event_time > since and s.event_time <= until
           and (of_underlying is null or s.underlying = of_underlying)
           and (of_strategy is null or s.strategy = of_strategy)
           and (of_version is null or s.version = of_version)
           and (of_direction is null or s.direction = of_direction)
         group by 1, 2, 3
    ), looked_at as materialized (
        -- Of four horizons each.
        select s.strategy, 4 * count(distinct s.version) as comparisons from signal s group by 1
    ), day as materialized (
        select t.strategy, t.version, t.underlying, t.horizon_minutes, t.session,
               count(*) as told, count(*) filter (where entered) as n,
               count(*) filter (where entered and hit) as hits,
               count(*) filter (where entered and hit and return_points <= 0) as hits_that_lost,
               sum(return_points) filter (where entered) as points,
               sum(return_points * lot_size) filter (where entered) as rupees,
               bool_and(lot_size is not null or not entered) as in_rupees,
               sum(return_points) filter (where entered and return_points > 0) as won,
               -sum(return_points) filter (where entered and return_points < 0) as lost,
               sum(mfe_points) filter (where entered) as mfe,
               sum(mae_points) filter (where entered) as mae,
               count(mfe_points) filter (where entered) as excursions,
               count(*) filter (where matched) as matched,
               sum(difference) filter (where matched) as difference,
               sum(hit_difference) filter (where matched) as hit_difference,
               coalesce(sum(random_n) filter (where matched), 0) as random_n,
               sum(random_hits) filter (where matched) as random_hits,
               sum(random_n * random_mfe_points) filter (where matched) as random_mfe,
               sum(random_n * random_mae_points) filter (where matched) as random_mae,
               sum(random_n) filter (where matched and random_mfe_points is not null)
                   as random_excursions,
               sum(random_n * random_return_points) filter (where matched) as random_points
          from trade t
         group by 1, 2, 3, 4, 5
    ), whole as materialized (
        select d.strategy, d.version, d.underlying, d.horizon_minutes, sum(told)::bigint as told,
               sum(n)::bigint as n, sum(hits)::bigint as hits,
               sum(hits_that_lost)::bigint as hits_that_lost, sum(points) as points,
               case when bool_and(in_rupees) then sum(rupees) end as rupees,
               coalesce(sum(won), 0) as won, coalesce(sum(lost), 0) as lost,
               sum(mfe) / nullif(sum(excursions), 0) as mfe,
               sum(mae) / nullif(sum(excursions), 0) as mae,
               count(*) filter (where n > 0) as sessions,
               count(*) filter (where matched > 0) as matched_sessions,
               sum(matched)::bigint as matched,
               sum(points) / nullif(sum(n), 0) as mean_points,
               sum(hits) / nullif(sum(n), 0)::double precision as hit_rate,
               sum(difference) / nullif(sum(matched), 0) as difference,
               sum(hit_difference) / nullif(sum(matched), 0) as hit_difference,
               sum(random_n)::bigint as random_n, sum(random_hits)::bigint as random_hits,
               sum(random_hits) / nullif(sum(random_n), 0)::double precision as random_hit_rate,
               sum(random_mfe) / nullif(sum(random_excursions), 0) as random_mfe,
               sum(random_mae) / nullif(sum(random_excursions), 0) as random_mae,
               sum(random_points) / nullif(sum(random_n), 0) as random_mean
          from day d
         group by 1, 2, 3, 4
    ), error as materialized (
        -- How far sessions lie apart, not signals: those of one session stand or fall together.
        select w.strategy, w.version, w.underlying, w.horizon_minutes,
               clustered(sum((d.points - w.mean_points * d.n) ^ 2) filter (where d.n > 0),
                         w.sessions, w.n) as points,
               clustered(sum((d.hits - w.hit_rate * d.n) ^ 2) filter (where d.n > 0),
                         w.sessions, w.n) as hits,
               clustered(sum((d.random_hits - w.random_hit_rate * d.random_n) ^ 2)
                             filter (where d.matched > 0),
                         w.matched_sessions, w.random_n) as random_hits,
               clustered(sum((d.difference - w.difference * d.matched) ^ 2)
                             filter (where d.matched > 0),
                         w.matched_sessions, w.matched) as difference,
               clustered(sum((d.hit_difference - w.hit_difference * d.matched) ^ 2)
                             filter (where d.matched > 0),
                         w.matched_sessions, w.matched) as hit_difference
          from whole w join day d using (strategy, version, underlying, horizon_minutes)
         group by 1, 2, 3, 4, w.sessions, w.matched_sessions, w.n, w.random_n, w.matched
    ), curve as (
        select t.strategy, t.version, t.underlying, t.horizon_minutes, t.event_time, t.symbol,
               return_points as points, return_points * lot_size as rupees,
               sum(return_points) over so_far as equity,
               sum(return_points * lot_size) over so_far as equity_rupees,
               return_points < 0 as losing,
               row_number() over so_far - sum((return_points < 0)::integer) over so_far as run
          from trade t
         where entered
        window so_far as (partition by t.strategy, t.version, t.underlying, t.horizon_minutes
                          order by t.event_time, t.symbol)
    ), fall as (
        select c.*, greatest(0, max(equity) over so_far) - equity as drawdown,
               greatest(0, max(equity_rupees) over so_far) - equity_rupees as drawdown_rupees
          from curve c
        window so_far as (partition by c.strategy, c.version, c.underlying, c.horizon_minutes
                          order by c.event_time, c.symbol)
    ), deepest as materialized (
        select f.strategy, f.version, f.underlying, f.horizon_minutes,
               max(drawdown) as points, max(drawdown_rupees) as rupees,
               percentile_cont(0.5) within group (order by f.points) as median
          from fall f
         group by 1, 2, 3, 4
    ), run as (
        -- Between two trades that did not lose the number of those before stays the same.
        select c.strategy, c.version, c.underlying, c.horizon_minutes, count(*) as trades,
               sum(c.points) as points, sum(c.rupees) as rupees
          from curve c
         where losing
         group by 1, 2, 3, 4, c.run
    ), worst as materialized (
        select r.strategy, r.version, r.underlying, r.horizon_minutes, max(trades) as trades,
               -min(r.points) as points, -min(r.rupees) as rupees
          from run r
         group by 1, 2, 3, 4
    ), reach as (
        select e.*, w.sessions >= sessions_needed() as enough,
               w.matched_sessions >= sessions_needed() as enough_matched,
               student_t(0.95, w.sessions - 1) as t,
               student_t(0.95, w.matched_sessions - 1) as t_matched, l.comparisons,
               student_t(1 - 0.05 / l.comparisons, w.matched_sessions - 1) as t_adjusted
          from error e
          join whole w using (strategy, version, underlying, horizon_minutes)
          join looked_at l using (strategy)
    )
    select w.strategy, w.version, w.underlying, w.horizon_minutes, w.n, w.told - w.n,
           w.hit_rate,
           case when r.enough then greatest(0, least(w.hit_rate - r.t * r.hits,
                                                     wilson(w.hits, w.n, -1.96))) end,
           case when r.enough then least(1, greatest(w.hit_rate + r.t * r.hits,
                                                     wilson(w.hits, w.n, 1.96))) end,
           w.mfe, w.mae, w.mean_points, w.random_n, w.random_hit_rate,
           case when r.enough_matched
                then greatest(0, least(w.random_hit_rate - r.t_matched * r.random_hits,
                                       wilson(w.random_hits, w.random_n, -1.96))) end,
           case when r.enough_matched
                then least(1, greatest(w.random_hit_rate + r.t_matched * r.random_hits,
                                       wilson(w.random_hits, w.random_n, 1.96))) end,
           w.random_mfe, w.random_mae, w.random_mean, of_history, of_fills, w.sessions,
           g.n - w.told, w.hits, w.hits_that_lost,
           w.hits::double precision / nullif(w.n + g.n - w.told, 0),
           (w.hits + g.n - w.told)::double precision / nullif(w.n + g.n - w.told, 0),
           case when r.enough then w.mean_points - r.t * r.points end,
           case when r.enough then w.mean_points + r.t * r.points end,
           d.median, w.won / nullif(w.lost, 0), w.points, w.rupees,
           case when w.n > 0 then coalesce(o.trades, 0) end,
           case when w.n > 0 then coalesce(o.points, 0) end,
           case when w.rupees is not null then coalesce(o.rupees, 0) end,
           d.points, case when w.rupees is not null then d.rupees end,
           w.matched, w.matched_sessions, w.difference,
           case when r.enough_matched then w.difference - r.t_matched * r.difference end,
           case when r.enough_matched then w.difference + r.t_matched * r.difference end,
           w.hit_difference,
           case when r.enough_matched then w.hit_difference - r.t_matched * r.hit_difference end,
           case when r.enough_matched then w.hit_difference + r.t_matched * r.hit_difference end,
           r.comparisons,
           case when r.enough_matched then w.difference - r.t_adjusted * r.difference end,
           case when r.enough_matched then w.difference + r.t_adjusted * r.difference end,
           case when w.n = 0 then 'not_entered'
                when w.matched = 0 then 'no_draws'
                when not r.enough_matched then 'few_sessions'
                when w.difference - r.t_adjusted * r.difference > 0 then 'better'
                when w.difference + r.t_adjusted * r.difference < 0 then 'worse'
                else 'same' end
      from whole w
      join reach r using (strategy, version, underlying, horizon_minutes)
      join wanted g using (strategy, version, underlying)
      left join deepest d using (strategy, version, underlying, horizon_minutes)
      left join worst o using (strategy, version, underlying, horizon_minutes)
$$;

comment on function signal_statistics is 'What signals came to beside matched random entries, by strategy, version, underlying and horizon, in one history with one number of spreads; docs/outcomes.md says what each column means';

create view signal_stats as
select * from signal_statistics('corrected', 1, '-infinity', 'infinity');
comment on view signal_stats is 'Standing signals with outcomes, usual fills, beside matched random entries: intervals of 95 % by session, means in premium points';
comment on column signal_stats.n is 'signals that were entered, with an outcome';
comment on column signal_stats.n_not_entered is 'signals that were not: they count in nothing else';
comment on column signal_stats.hit_rate is 'share with target 1 before the stop, within the horizon';
comment on column signal_stats.hit_rate_low is '95 % interval by session, and never narrower than Wilson''s; null with fewer than sessions_needed()';
comment on column signal_stats.random_n is 'random entries beside signals that were entered';
comment on column signal_stats.history is 'corrected: signals that stand';
comment on column signal_stats.fills is 'spreads paid in a round trip';
comment on column signal_stats.sessions is 'sessions with an entered signal';
comment on column signal_stats.n_missing is 'signals whose outcome cannot be told';
comment on column signal_stats.hits_that_lost is 'hits with a return of nothing or less after costs';
comment on column signal_stats.hit_rate_if_lost is 'hit rate if all that are missing had lost';
comment on column signal_stats.hit_rate_if_won is 'hit rate if all that are missing had been hits';
comment on column signal_stats.mean_return_low is '95 % interval by session; null with fewer than sessions_needed()';
comment on column signal_stats.profit_factor is 'points won by points lost; null where nothing was lost';
comment on column signal_stats.total_rupees is 'one lot a signal; null where a lot is not known';
comment on column signal_stats.losing_run is 'most trades lost one after the other';
comment on column signal_stats.worst_run_points is 'most lost in trades one after the other that all lost';
comment on column signal_stats.drawdown_points is 'deepest fall of the equity curve below its highest point, trade by trade';
comment on column signal_stats.matched_n is 'entered signals with random entries that have an outcome: what the difference is made of';
comment on column signal_stats.difference_points is 'mean return of a signal less that of its own random entries';
comment on column signal_stats.difference_low is '95 % interval by session, Student''s t; null with fewer than sessions_needed()';
comment on column signal_stats.comparisons is 'versions of the strategy that ever gave a signal, by four horizons: among so many the best is luck';
comment on column signal_stats.adjusted_low is 'interval that all comparisons hold together with 95 % (Bonferroni)';
comment on column signal_stats.verdict is 'better or worse than luck, where the adjusted interval lies above or below 0; same; few_sessions; no_draws; not_entered';

create function signal_stats_between(first date, last date)
returns setof signal_stats language sql stable as $$
    select * from signal_statistics('corrected', 1, first, last)
$$;
comment on function signal_stats_between is 'signal_stats of the sessions of a range, both ends included';

create function signal_splits(
    split text,
    of_history text, of_fills integer, first date, last date,
    since timestamptz default '-infinity', until timestamptz default 'infinity',
    of_underlying text default null, of_strategy text default null,
    of_version text default null, of_direction text default null)
returns table (
    strategy text, version text, underlying text, horizon_minutes integer, place integer,
    part text, n bigint, sessions bigint, hits bigint, hits_that_lost bigint,
    hit_rate double precision, mean_return_points double precision,
    median_return_points double precision, total_points double precision,
    profit_factor double precision, matched_n bigint, matched_sessions bigint,
    difference_points double precision)
language sql stable as $$
    with trade as (
        select t.*,
               case split
               when 'time' then floor(extract(epoch from
                   (t.event_time at time zone 'Asia/Kolkata')::time - time '09:15') / 3600)
               when 'expiry' then to_date(substring(t.symbol from '(\d{6})[CP]\d+$'), 'YYMMDD')
                   - t.session
               when 'volatility' then coalesce(20 * (
                   select g.implied_volatility from signal_greeks g
                    where g.signal_id = t.signal_id), -1)
               end::double precision as number
          from signal_trades(of_history, of_fills, first, last, since, until, of_underlying,
                             of_strategy, of_version, of_direction) t
         where t.exit_reason <> 'not_entered'
    ), placed as (
        select t.*,
               case when split = 'expiry' then width_bucket(number, array[0, 1, 2, 4, 8])
                    else floor(number) end::integer as place
          from trade t
         where number is not null
    )
    select p.strategy, p.version, p.underlying, p.horizon_minutes, p.place,
           case split
           when 'time' then to_char(time '09:15' + p.place * interval '1 hour', 'HH24:MI') || '-'
               || to_char(time '10:15' + p.place * interval '1 hour', 'HH24:MI')
           when 'expiry' then (array['0', '1', '2-3', '4-7', '8+'])[p.place]
           when 'volatility' then case when p.place < 0 then 'unknown'
               else 5 * p.place || '-' || 5 * p.place + 5 || ' %' end
           end,
           count(*), count(distinct session), count(*) filter (where hit),
           count(*) filter (where hit and return_points <= 0), avg(hit::integer)::double precision,
           avg(return_points), percentile_cont(0.5) within group (order by return_points),
           sum(return_points),
           coalesce(sum(return_points) filter (where return_points > 0), 0)
               / -sum(return_points) filter (where return_points < 0),
           count(*) filter (where random_n > 0),
           count(distinct session) filter (where random_n > 0),
           avg(return_points - random_return_points) filter (where random_n > 0)
      from placed p
     group by 1, 2, 3, 4, 5
$$;
comment on function signal_splits is 'Entered signals by time (hours from 09:15 IST), expiry (calendar days to it) or volatility (implied, of the bought contract when the signal was known), each part with its n';

create function signal_equity(
    of_history text, of_fills integer, first date, last date,
    since timestamptz default '-infinity', until timestamptz default 'infinity',
    of_underlying text default null, of_strategy text default null,
    of_version text default null, of_direction text default null)
returns table (
    strategy text, version text, underlying text, horizon_minutes integer, session date, n bigint,
    points double precision, rupees double precision, equity_points double precision,
    equity_rupees double precision, matched_n bigint, random_equity_points double precision)
language sql stable as $$
    with day as (
        select t.strategy, t.version, t.underlying, t.horizon_minutes, t.session, count(*) as n,
               sum(return_points) as points,
               case when bool_and(lot_size is not null) then sum(return_points * lot_size) end
                   as rupees,
               count(*) filter (where random_n > 0) as matched,
               coalesce(sum(random_return_points) filter (where random_n > 0), 0) as random
          from signal_trades(of_history, of_fills, first, last, since, until, of_underlying,
                             of_strategy, of_version, of_direction) t
         where t.exit_reason <> 'not_entered'
         group by 1, 2, 3, 4, 5
    )
    select d.strategy, d.version, d.underlying, d.horizon_minutes, d.session, d.n, d.points,
           d.rupees, sum(d.points) over so_far,
           case when bool_and(d.rupees is not null) over so_far then sum(d.rupees) over so_far end,
           d.matched, sum(d.random) over so_far
      from day d
    window so_far as (partition by d.strategy, d.version, d.underlying, d.horizon_minutes
                      order by d.session)
$$;
comment on function signal_equity is 'What one lot, or unit, in every entered signal came to by the end of each session, beside the mean of the random entries of those that have any';
