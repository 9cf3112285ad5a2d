-- Sessions sealed from sweeps, outcomes and statistics until a version is registered; what sweeps
-- found session by session, walked forward. Seals, openings and sweeps are only ever added to.

create table holdout (
    session         date primary key,
    sealed_at       timestamptz not null,
    sealed_by       text not null,
    note            text not null,
    outcomes_before bigint not null
);
comment on table holdout is 'Sealed sessions: no outcome, statistic or sweep of them but of versions that holdout_opening names';
comment on column holdout.session is 'trading date, IST';
comment on column holdout.sealed_at is 'by the database server''s clock, UTC';
comment on column holdout.sealed_by is 'the session''s database user';
comment on column holdout.note is 'why, in words';
comment on column holdout.outcomes_before is 'outcomes that were stored until then, for anybody to have seen; the seal removed them';

create table holdout_opening (
    session         date not null references holdout,
    opened_at       timestamptz not null,
    strategy        text,
    version         text,
    params_hash     text,
    params          jsonb,
    horizon_minutes integer,
    look            integer not null,
    command         text not null,
    opened_by       text not null,
    primary key (session, opened_at),
    unique nulls not distinct (session, strategy, version),
    check (num_nulls(strategy, version, params_hash, params, horizon_minutes) in (0, 5))
);
comment on table holdout_opening is 'Every opening of a sealed session: which version may be judged there, from when';
comment on column holdout_opening.session is 'trading date, IST';
comment on column holdout_opening.opened_at is 'by the database server''s clock, UTC';
comment on column holdout_opening.strategy is 'rule set that may be judged; null: the seal ended, for everybody';
comment on column holdout_opening.version is 'of it; null: the seal ended';
comment on column holdout_opening.params_hash is 'hash of its numbers, registered before it was judged';
comment on column holdout_opening.params is 'its numbers';
comment on column holdout_opening.horizon_minutes is 'minutes after entry at which it is judged; 0 is the session''s end';
comment on column holdout_opening.look is 'the how many-th registration on this session, or of this strategy on any: later ones have to show more';
comment on column holdout_opening.command is 'what was asked for';
comment on column holdout_opening.opened_by is 'the session''s database user, program and address';

create table holdout_verdict (
    strategy              text not null,
    version               text not null,
    judged_at             timestamptz not null,
    first_session         date not null,
    last_session          date not null,
    horizon_minutes       integer not null,
    look                  integer not null,
    level                 double precision not null,
    sessions              integer not null,
    entered               bigint not null,
    mean_return_points    double precision,
    luck_points           double precision,
    difference_points     double precision,
    difference_low_points double precision,
    p_value               double precision,
    better                boolean not null,
    verdict               text not null,
    primary key (strategy, version, judged_at)
);
comment on table holdout_verdict is 'What registered versions came to on sealed sessions, beside random entries';
comment on column holdout_verdict.strategy is 'rule set';
comment on column holdout_verdict.version is 'the registered one';
comment on column holdout_verdict.judged_at is 'by the database server''s clock, UTC';
comment on column holdout_verdict.first_session is 'trading date, IST';
comment on column holdout_verdict.last_session is 'trading date, IST';
comment on column holdout_verdict.horizon_minutes is 'minutes after entry, as registered; 0 is the session''s end';
comment on column holdout_verdict.look is 'the how many-th registration on any of the sessions, or of the strategy';
comment on column holdout_verdict.level is 'how likely luck may do as well: 5 % / (look * (look + 1))';
comment on column holdout_verdict.sessions is 'with entered signals and random entries beside them: all that is below is of these';
comment on column holdout_verdict.entered is 'entered signals';
comment on column holdout_verdict.mean_return_points is 'per entered signal, after costs, premium points';
comment on column holdout_verdict.luck_points is 'what random entries of the same sessions would have given per entered signal';
comment on column holdout_verdict.difference_points is 'mean of the sessions'' differences, each the sum over its signals, premium points';
comment on column holdout_verdict.difference_low_points is 'lower end of its one-sided interval at the level, by session';
comment on column holdout_verdict.p_value is 'how likely luck does as well, one-sided, by session; null if it cannot be told';
comment on column holdout_verdict.better is 'better than luck: p_value is below level';
comment on column holdout_verdict.verdict is 'in words';

alter table sweep
    add column sealed          integer not null default 0,
    add column tried_ever      integer,
    add column expected_sharpe double precision,
    add column best_version    text,
    add column deflated_sharpe double precision,
    add column reality_p       double precision,
    add column verdict         text;
comment on column sweep.sealed is 'sessions left out because they are sealed';
comment on column sweep.tried_ever is 'versions and horizons of the strategy that were ever tried, this sweep''s included; null of sweeps that did not keep their sessions';
comment on column sweep.expected_sharpe is 'Sharpe ratio by session that the best of so many shows without any skill';
comment on column sweep.best_version is 'the one with the best Sharpe ratio by session';
comment on column sweep.deflated_sharpe is 'how likely the best version''s true Sharpe ratio is above 0, as the best of all that were ever tried; null if it cannot be told';
comment on column sweep.reality_p is 'White''s reality check of this sweep: how likely luck gives a best version as good, by resampled sessions; null if it cannot be told';
comment on column sweep.verdict is 'in words';

alter table sweep_result
    add column sharpe                 double precision,
    add column neighbours             integer,
    add column neighbour_mean_points  double precision;
comment on column sweep_result.sharpe is 'mean by standard deviation of its sessions'' points, not annualised; null without spread';
comment on column sweep_result.neighbours is 'combinations one step of one number away that were entered';
comment on column sweep_result.neighbour_mean_points is 'mean of their mean_return_points: a peak alone is luck; null without any';

create table sweep_session (
    sweep_id     bigint not null references sweep,
    params_hash  text not null,
    session      date not null,
    entered      integer not null,
    hits         integer not null,
    total_points double precision not null,
    primary key (sweep_id, params_hash, session)
);
comment on table sweep_session is 'One combination in one session, with and without entries';
comment on column sweep_session.sweep_id is 'its sweep';
comment on column sweep_session.params_hash is 'its combination';
comment on column sweep_session.session is 'trading date, IST';
comment on column sweep_session.entered is 'signals that were entered, and whose outcome is known';
comment on column sweep_session.hits is 'of the entered: target 1 before the stop';
comment on column sweep_session.total_points is 'of the entered, after costs, premium points';

create table sweep_walk (
    sweep_id          bigint primary key references sweep,
    fit_sessions      integer not null check (fit_sessions > 0),
    judge_sessions    integer not null check (judge_sessions > 0),
    entered           integer not null,
    total_points      double precision not null,
    luck_total_points double precision not null,
    luck_low_points   double precision not null,
    luck_high_points  double precision not null,
    luck_chance       double precision not null
);
comment on table sweep_walk is 'Sweeps walked forward: the best mean return per trade of some sessions, judged on the next ones';
comment on column sweep_walk.sweep_id is 'its sweep';
comment on column sweep_walk.fit_sessions is 'sessions to choose on';
comment on column sweep_walk.judge_sessions is 'next sessions to judge the choice on, then all roll by as many';
comment on column sweep_walk.entered is 'entered signals of the choices in the sessions they were judged on';
comment on column sweep_walk.total_points is 'their total after costs, premium points';
comment on column sweep_walk.luck_total_points is 'mean total of choosing at random among the swept combinations, window by window';
comment on column sweep_walk.luck_low_points is 'lower end of the 95 % range of such choices'' totals';
comment on column sweep_walk.luck_high_points is 'upper end of that range';
comment on column sweep_walk.luck_chance is 'share of such choices that give at least as much';

create table sweep_window (
    sweep_id            bigint not null references sweep_walk,
    number              integer not null,
    fit_first           date not null,
    fit_last            date not null,
    judge_first         date not null,
    judge_last          date not null,
    params_hash         text,
    version             text,
    fit_mean_points     double precision,
    entered             integer not null,
    total_points        double precision not null,
    luck_entered        double precision not null,
    luck_total_points   double precision not null,
    primary key (sweep_id, number)
);
comment on table sweep_window is 'One window of a walk-forward: what was chosen, and what it came to';
comment on column sweep_window.sweep_id is 'its sweep';
comment on column sweep_window.number is '1, 2, ... in time''s order';
comment on column sweep_window.fit_first is 'trading date, IST';
comment on column sweep_window.fit_last is 'trading date, IST';
comment on column sweep_window.judge_first is 'trading date, IST';
comment on column sweep_window.judge_last is 'trading date, IST';
comment on column sweep_window.params_hash is 'the chosen combination; null if none was entered in the sessions to choose on';
comment on column sweep_window.version is 'its version';
comment on column sweep_window.fit_mean_points is 'its mean return per trade there, which it was chosen by, premium points';
comment on column sweep_window.entered is 'entered signals of the choice in the judged sessions';
comment on column sweep_window.total_points is 'their total after costs, premium points';
comment on column sweep_window.luck_entered is 'mean number of entered signals over all combinations';
comment on column sweep_window.luck_total_points is 'mean total over all combinations: of a choice at random';

create table sweep_judged (
    sweep_id      bigint not null references sweep_walk,
    session       date not null,
    number        integer not null,
    entered       integer not null,
    points        double precision not null,
    total_points  double precision not null,
    luck_low      double precision not null,
    luck_median   double precision not null,
    luck_high     double precision not null,
    primary key (sweep_id, session)
);
comment on table sweep_judged is 'A walk-forward''s equity, session by session';
comment on column sweep_judged.sweep_id is 'its sweep';
comment on column sweep_judged.session is 'trading date, IST';
comment on column sweep_judged.number is 'its window';
comment on column sweep_judged.entered is 'entered signals of the window''s choice';
comment on column sweep_judged.points is 'their total after costs, premium points';
comment on column sweep_judged.total_points is 'the same from the first judged session on';
comment on column sweep_judged.luck_low is 'lower end of the 95 % range of choosing at random, as total_points';
comment on column sweep_judged.luck_median is 'its middle';
comment on column sweep_judged.luck_high is 'its upper end';

-- The seal ------------------------------------------------------------------------------------

create function is_sealed(day date, judged_strategy text default null, judged_version text default null)
returns boolean language sql stable as $$
    select exists (
        select from holdout h
         where h.session = day
           and not exists (
               select from holdout_opening o
                where o.session = day
                  and (o.strategy is null
                       or o.strategy = judged_strategy and o.version = judged_version)))
$$;
comment on function is_sealed is 'Whether a session is sealed: for sweeps, or for a version that was not registered';

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only added to: % is refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

-- Who, what and when are the server's word, whatever an insert says. Whoever is storing outcomes or a
-- sweep holds a lock on holdout until the end, so that this waits for them; whoever comes later waits
-- for this, and finds the seal.
create function seal_session() returns trigger language plpgsql as $$
declare
    seen bigint;
    relation text;
    removed bigint;
begin
    -- Older sweeps did not keep their sessions: their range counts.
    select min(s.sweep_id) into seen from sweep s
     where exists (select from sweep_session e
                    where e.sweep_id = s.sweep_id and e.session = new.session)
        or s.tried_ever is null and new.session between s.first_session and s.last_session;
    if seen is not null then
        raise exception 'session % was swept (sweep %): a holdout is what no sweep has seen',
            new.session, seen using errcode = 'check_violation';
    end if;
    new.sealed_at := clock_timestamp();
    new.sealed_by := session_user;
    new.outcomes_before := 0;
    foreach relation in array array['signal_outcome', 'signal_outcome_case'] loop
        continue when to_regclass(relation) is null;
        execute format('delete from %I o using signal s where s.signal_id = o.signal_id'
                       ' and $1 in (s.session, (s.event_time at time zone ''Asia/Kolkata'')::date)',
                       relation) using new.session;
        get diagnostics removed = row_count;
        new.outcomes_before := new.outcomes_before + removed;
    end loop;
    delete from random_outcome o
     where new.session in (o.session, (o.entered_at at time zone 'Asia/Kolkata')::date)
        or o.beside in (select signal_id from signal
                         where (event_time at time zone 'Asia/Kolkata')::date = new.session);
    return new;
end
$$;
create trigger seal before insert on holdout for each row execute function seal_session();

create function log_opening() returns trigger language plpgsql as $$
begin
    -- One after another: each finds those before it, and none has the moment of another.
    lock table holdout_opening in share row exclusive mode;
    new.opened_at := clock_timestamp();
    new.opened_by := concat_ws(' ', session_user, nullif(current_setting('application_name'), ''),
                               host(inet_client_addr()));
    -- The same strategy on other sessions is another try as well. One command opens many sessions.
    new.look := 1 + (
        select count(distinct (strategy, version, command)) from holdout_opening
         where strategy is not null and (session = new.session or strategy = new.strategy)
           and (strategy, version, command) is distinct from (new.strategy, new.version, new.command));
    return new;
end
$$;
create trigger log before insert on holdout_opening for each row execute function log_opening();

create function date_verdict() returns trigger language plpgsql as $$
begin
    new.judged_at := clock_timestamp();
    return new;
end
$$;
create trigger date before insert on holdout_verdict for each row execute function date_verdict();

create function refuse_sealed_signals() returns trigger language plpgsql as $$
declare
    found record;
begin
    lock table holdout in share mode;
    if not exists (select from holdout) then
        return null;
    end if;
    select s.strategy, s.version, day into found
      from fresh o join signal s using (signal_id),
           unnest(array[s.session, (s.event_time at time zone 'Asia/Kolkata')::date]) day
     where is_sealed(day, s.strategy, s.version) limit 1;
    if found.day is not null then
        raise exception 'session % is sealed: no outcome of % % before `optionscalp holdout open`',
            found.day, found.strategy, found.version using errcode = 'check_violation';
    end if;
    return null;
end
$$;

create function refuse_sealed_random() returns trigger language plpgsql as $$
declare
    found record;
begin
    lock table holdout in share mode;
    if not exists (select from holdout) then
        return null;
    end if;
    select o.strategy, o.version, day into found
      from fresh o left join signal s on s.signal_id = o.beside,
           unnest(array[o.session, (o.entered_at at time zone 'Asia/Kolkata')::date,
                        (s.event_time at time zone 'Asia/Kolkata')::date]) day
     where is_sealed(day, o.strategy, o.version) limit 1;
    if found.day is not null then
        raise exception 'session % is sealed: no outcome of % % before `optionscalp holdout open`',
            found.day, found.strategy, found.version using errcode = 'check_violation';
    end if;
    return null;
end
$$;

create function refuse_sealed_sweeps() returns trigger language plpgsql as $$
declare
    found date;
begin
    lock table holdout in share mode;
    select session into found from fresh where is_sealed(session) limit 1;
    if found is not null then
        raise exception 'session % is sealed: no sweep may use it', found
            using errcode = 'check_violation';
    end if;
    return null;
end
$$;

-- A signal with outcomes cannot be moved out of a sealed session, nor take another version's name.
create function keep_session() returns trigger language plpgsql as $$
begin
    raise exception 'a signal stays of its session, strategy and version'
        using errcode = 'restrict_violation';
end
$$;
create trigger keep_session before update on signal for each row
  when ((old.session, old.strategy, old.version, old.event_time)
        is distinct from (new.session, new.strategy, new.version, new.event_time))
  execute function keep_session();

-- Every version that was computed counts as tried, with the numbers that it was computed with.
create trigger only_added before delete or truncate on strategy_version
   for each statement execute function refuse_change();
create trigger keep_numbers before update on strategy_version for each row
  when ((old.strategy, old.version, old.params_hash, old.params)
        is distinct from (new.strategy, new.version, new.params_hash, new.params))
  execute function refuse_change();

do $$
declare
    guard record;
begin
    for guard in
        select * from (values ('signal_outcome', 'refuse_sealed_signals'),
                              ('signal_outcome_case', 'refuse_sealed_signals'),
                              ('random_outcome', 'refuse_sealed_random'),
                              ('sweep_session', 'refuse_sealed_sweeps'),
                              ('sweep_judged', 'refuse_sealed_sweeps')) guard (relation, action)
         where to_regclass(relation) is not null
    loop
        execute format('create trigger sealed_insert after insert on %I'
                       ' referencing new table as fresh for each statement'
                       ' execute function %I()', guard.relation, guard.action);
        execute format('create trigger sealed_update after update on %I'
                       ' referencing new table as fresh for each statement'
                       ' execute function %I()', guard.relation, guard.action);
        execute format('alter table %I enable always trigger sealed_insert,'
                       ' enable always trigger sealed_update', guard.relation);
    end loop;
    for guard in
        select unnest(array['holdout', 'holdout_opening', 'holdout_verdict', 'sweep', 'sweep_result',
                            'sweep_session', 'sweep_walk', 'sweep_window', 'sweep_judged']) relation
    loop
        execute format('create trigger only_added before update or delete or truncate on %I'
                       ' for each statement execute function refuse_change()', guard.relation);
        execute format('alter table %I enable always trigger only_added', guard.relation);
    end loop;
    alter table holdout enable always trigger seal;
    alter table holdout_opening enable always trigger log;
    alter table holdout_verdict enable always trigger date;
    alter table signal enable always trigger keep_session;
    alter table strategy_version enable always trigger only_added, enable always trigger keep_numbers;
end
$$;

-- What a person who owns the database can do, told as far as it shows.
create function holdout_faults() returns table (fault text) language sql stable as $$
    select format('trigger %s of %s is switched off', tgname, tgrelid::regclass)
      from pg_trigger
     where not tgisinternal and tgenabled <> 'A'
       and tgname in ('seal', 'log', 'date', 'only_added', 'sealed_insert', 'sealed_update', 'keep_session', 'keep_numbers')
       and tgrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
     union all
    select format('trigger %s of %s is missing', wanted.name, wanted.relation)
      from (values ('holdout', 'seal'), ('holdout', 'only_added'), ('holdout_opening', 'log'),
                   ('holdout_opening', 'only_added'), ('signal_outcome', 'sealed_insert'),
                   ('signal_outcome', 'sealed_update'), ('random_outcome', 'sealed_insert'),
                   ('random_outcome', 'sealed_update'), ('sweep_session', 'sealed_insert'),
                   ('sweep', 'only_added'), ('sweep_result', 'only_added'),
                   ('sweep_session', 'only_added'), ('signal', 'keep_session'),
                   ('strategy_version', 'only_added'), ('strategy_version', 'keep_numbers')) wanted (relation, name)
     where not exists (select from pg_trigger
                        where tgrelid = wanted.relation::regclass and tgname = wanted.name)
     union all
    select format('%s outcomes of %s %s lie in sealed session %s', count(*), strategy, version, session)
      from (select s.strategy, s.version, s.session from signal_outcome join signal s using (signal_id)
             union all
            select strategy, version, session from random_outcome) o
     where session in (select session from holdout) and is_sealed(session, strategy, version)
     group by strategy, version, session
     union all
    select format('sweep %s used sealed session %s', sweep_id, session)
      from (select distinct sweep_id, session from sweep_session) e
     where is_sealed(session)
$$;
comment on function holdout_faults is 'What shows that a seal was gone around; no rows is how it should be';

-- Of every seal and opening: noted elsewhere, it tells later whether one was taken away.
create function holdout_fingerprint() returns text language sql stable as $$
    select encode(sha256(convert_to(coalesce(string_agg(line, E'\n' order by line), ''), 'UTF8')), 'hex')
      from (select 'holdout ' || h::text as line from holdout h
             union all
            select 'opening ' || o::text from holdout_opening o) lines
$$;
comment on function holdout_fingerprint is 'SHA-256 of all seals and openings, in UTC if the session is';
