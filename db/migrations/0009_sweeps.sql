-- Sweeps over numbers of a strategy: what each combination would have given.

create table sweep (
    sweep_id        bigint generated always as identity primary key,
    started_at      timestamptz not null,
    strategy        text not null,
    code_version    text not null,
    grid            jsonb not null,
    first_session   date not null,
    last_session    date not null,
    sessions        integer not null check (sessions > 0),
    horizon_minutes integer not null,
    combinations    integer not null check (combinations > 0),
    warning         text not null,
    check (first_session <= last_session)
);

comment on table sweep is 'Combinations of a strategy''s numbers, tried on stored sessions; none of their signals is stored';
comment on column sweep.sweep_id is 'ascending';
comment on column sweep.started_at is 'market time, UTC';
comment on column sweep.strategy is 'rule set';
comment on column sweep.code_version is 'of the rules';
comment on column sweep.grid is 'the values tried of each number; all others are the strategy''s own';
comment on column sweep.first_session is 'trading date, IST';
comment on column sweep.last_session is 'trading date, IST';
comment on column sweep.sessions is 'how many of them had rows and no failing check';
comment on column sweep.horizon_minutes is 'minutes after entry; 0 is the session''s end';
comment on column sweep.combinations is 'how many were tried: the best of many is luck';
comment on column sweep.warning is 'what luck alone would show';

create table sweep_result (
    sweep_id             bigint not null references sweep on delete cascade,
    version              text not null,
    params_hash          text not null,
    params               jsonb not null,
    signals              integer not null,
    entered              integer not null,
    not_entered          integer not null,
    unresolved           integer not null,
    hits                 integer not null,
    hit_rate             double precision,
    hit_rate_low         double precision,
    hit_rate_high        double precision,
    chosen_rate_low      double precision,
    chosen_rate_high     double precision,
    mean_return_points   double precision,
    total_return_points  double precision not null,
    worst_session        date,
    worst_session_points double precision,
    primary key (sweep_id, params_hash),
    check (signals = entered + not_entered + unresolved and hits <= entered)
);

comment on table sweep_result is 'One combination of a sweep; rates and means are null without entries';
comment on column sweep_result.sweep_id is 'its sweep';
comment on column sweep_result.version is 'under which its signals would be stored';
comment on column sweep_result.params_hash is 'hash of all its numbers';
comment on column sweep_result.params is 'all its numbers';
comment on column sweep_result.signals is 'signals it would have given';
comment on column sweep_result.entered is 'signals that were entered, and whose outcome is known';
comment on column sweep_result.not_entered is 'signals whose order was never filled';
comment on column sweep_result.unresolved is 'signals without an outcome: a candle, the lot or the charges are not known';
comment on column sweep_result.hits is 'of the entered: target 1 before the stop';
comment on column sweep_result.hit_rate is 'hits by entered';
comment on column sweep_result.hit_rate_low is 'lower end of its 95 % Wilson interval';
comment on column sweep_result.hit_rate_high is 'upper end of its 95 % Wilson interval';
comment on column sweep_result.chosen_rate_low is 'lower end of the interval that allows for having been chosen of all combinations (Sidak)';
comment on column sweep_result.chosen_rate_high is 'upper end of that interval';
comment on column sweep_result.mean_return_points is 'per entered signal, after costs, premium points';
comment on column sweep_result.total_return_points is 'of all entered signals, after costs, premium points';
comment on column sweep_result.worst_session is 'with the lowest total; trading date, IST; null without entries';
comment on column sweep_result.worst_session_points is 'its total, premium points';
