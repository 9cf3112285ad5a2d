-- Market data, signals, the raw archive and the change log.
-- Prices are rupees (option premium or index points); volume and open interest are units (shares),
-- never lots. Every time is UTC. No triggers: the write function writes the change log.

create table contract (
    symbol      text primary key,
    underlying  text not null,
    expiry      date not null,
    strike      integer not null check (strike > 0),
    option_type text not null check (option_type in ('C', 'P')),
    lot_size    integer check (lot_size > 0),
    first_seen  date not null,
    last_seen   date not null,
    source      text not null
);
create index contract_ladder on contract (underlying, expiry, strike);

create table candle (
    symbol           text not null,
    interval_minutes smallint not null check (interval_minutes in (1, 5)),
    open_time        timestamptz not null,
    underlying       text not null,
    open             double precision not null,
    high             double precision not null,
    low              double precision not null,
    close            double precision not null,
    volume           bigint check (volume >= 0),
    open_interest    bigint check (open_interest >= 0),
    source           text not null,
    known_at         timestamptz not null,
    final            boolean not null,
    primary key (symbol, interval_minutes, open_time),
    check (low <= least(open, close) and high >= greatest(open, close))
);
create index candle_by_underlying on candle (underlying, open_time);

create table build_up (
    symbol        text not null,
    open_time     timestamptz not null,
    underlying    text not null,
    close_time    timestamptz not null,
    close         double precision not null,
    open_interest bigint check (open_interest >= 0),
    oi_change     bigint,
    volume        bigint check (volume >= 0),
    label         text not null check (label in (
        'long_build_up', 'short_build_up', 'short_covering', 'long_unwinding', 'none')),
    source        text not null,
    known_at      timestamptz not null,
    primary key (symbol, open_time)
);
create index build_up_by_underlying on build_up (underlying, open_time);

create table chain_oi (
    underlying   text not null,
    expiry       date not null,
    strike       integer not null,
    observed_at  timestamptz not null,
    call_oi      bigint,
    put_oi       bigint,
    call_prev_oi bigint,
    put_prev_oi  bigint,
    source       text not null,
    known_at     timestamptz not null,
    primary key (underlying, expiry, strike, observed_at)
);
create index chain_oi_by_time on chain_oi (underlying, observed_at);

create table signal (
    signal_id        uuid primary key,
    strategy         text not null,
    version          text not null,
    underlying       text not null,
    session          date not null,
    event_time       timestamptz not null,
    symbol           text not null,
    direction        text not null check (direction in ('BULLISH', 'BEARISH')),
    kind             text not null,
    atm_strike       integer not null,
    spot             double precision not null,
    net_delta_volume bigint,
    strikes          integer[] not null,
    entry            double precision not null,
    stop             double precision not null,
    target1          double precision not null,
    target2          double precision not null,
    reasons          jsonb not null,
    params_hash      text not null,
    input_watermark  timestamptz not null,
    known_at         timestamptz not null,
    withdrawn_at     timestamptz,
    unique (strategy, version, underlying, event_time, symbol)
);
create index signal_by_underlying on signal (underlying, event_time);

create table signal_rejection (
    strategy   text not null,
    version    text not null,
    underlying text not null,
    session    date not null,
    event_time timestamptz not null,
    reason     text not null,
    symbol     text not null default '',
    details    jsonb not null,
    known_at   timestamptz,
    primary key (strategy, version, underlying, event_time, reason, symbol)
);

create table signal_outcome (
    signal_id       uuid not null references signal on delete cascade,
    horizon_minutes integer not null,
    mfe_points      double precision not null check (mfe_points >= 0),
    mae_points      double precision not null check (mae_points >= 0),
    return_points   double precision not null,
    hit             boolean not null,
    exit_reason     text not null,
    primary key (signal_id, horizon_minutes)
);

create table random_outcome (
    strategy        text not null,
    version         text not null,
    underlying      text not null,
    session         date not null,
    draw            integer not null,
    horizon_minutes integer not null,
    mfe_points      double precision not null check (mfe_points >= 0),
    mae_points      double precision not null check (mae_points >= 0),
    return_points   double precision not null,
    hit             boolean not null,
    primary key (strategy, version, underlying, session, draw, horizon_minutes)
);

create table raw_payload (
    payload_id   bigint generated always as identity primary key,
    source       text not null,
    request      text not null,
    session      date not null,
    received_at  timestamptz not null,
    sha256       bytea not null,
    body         bytea not null,
    parser_error text
);
create index raw_payload_by_session on raw_payload (session, source, received_at);

create table change_log (
    seq              bigint generated always as identity (cache 1) primary key,
    relation         text not null,
    underlying       text not null,
    symbol           text not null,
    interval_minutes smallint,
    moment           timestamptz not null,
    signal_id        uuid
);

create table feed_meta (
    only_row          boolean primary key default true check (only_row),
    epoch             text not null,
    system_identifier bigint not null,
    timeline_id       integer not null,
    pruned_to         bigint not null default 0
);

create table source_status (
    source     text primary key,
    state      text not null check (state in ('up', 'down')),
    changed_at timestamptz not null,
    last_at    timestamptz,
    error      text
);

-- Sixty candles an hour or twelve: per symbol and session the finest stored interval counts, and
-- every bucket is anchored at 09:15 IST (03:45 UTC).
create function candle_bucket(width interval)
returns table (
    symbol text, open_time timestamptz, underlying text, open double precision,
    high double precision, low double precision, close double precision, volume bigint,
    open_interest bigint, source text, known_at timestamptz, final boolean)
language sql stable as $$
    select c.symbol,
           date_bin(width, c.open_time, timestamptz '2000-01-01 03:45+00') as bucket,
           c.underlying,
           (array_agg(c.open order by c.open_time))[1],
           max(c.high),
           min(c.low),
           (array_agg(c.close order by c.open_time desc))[1],
           sum(c.volume)::bigint,
           (array_agg(c.open_interest order by c.open_time desc)
                filter (where c.open_interest is not null))[1],
           min(c.source),
           max(c.known_at),
           bool_and(c.final) and (
               max(c.open_time + make_interval(mins => c.interval_minutes))
                   >= date_bin(width, min(c.open_time), timestamptz '2000-01-01 03:45+00') + width
               or exists (
                   select from candle later
                   where later.symbol = c.symbol and later.open_time > max(c.open_time)))
      from candle c
     where not exists (
               select from candle finer
                where finer.symbol = c.symbol
                  and finer.interval_minutes < c.interval_minutes
                  and finer.open_time >= date_bin('1 day', c.open_time, timestamptz '2000-01-01')
                  and finer.open_time
                      < date_bin('1 day', c.open_time, timestamptz '2000-01-01') + interval '1 day')
     group by c.symbol, bucket, c.underlying
$$;
create view candle_5m as select * from candle_bucket('5 minutes');
create view candle_15m as select * from candle_bucket('15 minutes');
create view candle_1h as select * from candle_bucket('1 hour');

create view pcr as
select underlying, expiry, observed_at,
       sum(put_oi)::bigint as put_oi, sum(call_oi)::bigint as call_oi,
       sum(put_oi)::double precision / nullif(sum(call_oi), 0) as pcr,
       max(known_at) as known_at
  from chain_oi
 group by underlying, expiry, observed_at;

create view signal_stats as
with signals as (
    select s.strategy, s.version, s.underlying, o.horizon_minutes,
           count(*) as n, count(*) filter (where o.hit) as hits, avg(o.hit::int) as hit_rate,
           avg(o.mfe_points) as mean_mfe_points, avg(o.mae_points) as mean_mae_points,
           avg(o.return_points) as mean_return_points
      from signal s join signal_outcome o using (signal_id)
     where s.withdrawn_at is null
     group by 1, 2, 3, 4
), entries as (
    select strategy, version, underlying, horizon_minutes,
           count(*) as n, avg(hit::int) as hit_rate,
           avg(mfe_points) as mean_mfe_points, avg(mae_points) as mean_mae_points,
           avg(return_points) as mean_return_points
      from random_outcome
     group by 1, 2, 3, 4
)
-- The interval is Wilson's at 95 % (z = 1.96).
select s.strategy, s.version, s.underlying, s.horizon_minutes, s.n,
       s.hit_rate::double precision as hit_rate,
       ((s.hit_rate + 1.9208 / s.n
         - 1.96 * sqrt(s.hit_rate * (1 - s.hit_rate) / s.n + 0.9604 / (s.n * s.n)))
        / (1 + 3.8416 / s.n))::double precision as hit_rate_low,
       ((s.hit_rate + 1.9208 / s.n
         + 1.96 * sqrt(s.hit_rate * (1 - s.hit_rate) / s.n + 0.9604 / (s.n * s.n)))
        / (1 + 3.8416 / s.n))::double precision as hit_rate_high,
       s.mean_mfe_points, s.mean_mae_points, s.mean_return_points,
       r.n as random_n, r.hit_rate::double precision as random_hit_rate,
       r.mean_mfe_points as random_mean_mfe_points, r.mean_mae_points as random_mean_mae_points,
       r.mean_return_points as random_mean_return_points
  from signals s
  left join entries r using (strategy, version, underlying, horizon_minutes);

-- Units and meanings, where every SQL client shows them.
comment on table contract is 'Listed options as first and last seen; what a source lists wins over the calendar';
comment on column contract.symbol is 'canonical symbol, e.g. BANKNIFTY260127C58400';
comment on column contract.underlying is 'NIFTY or BANKNIFTY';
comment on column contract.expiry is 'real expiry date, holiday shifts applied';
comment on column contract.strike is 'rupees';
comment on column contract.option_type is 'C call, P put';
comment on column contract.lot_size is 'units per lot; null when not known';
comment on column contract.first_seen is 'first session it was listed in';
comment on column contract.last_seen is 'last session it was listed in';
comment on column contract.source is 'who listed it';
comment on table candle is 'Price candles over [open_time, open_time + interval)';
comment on column candle.symbol is 'index, future or option';
comment on column candle.interval_minutes is '1 where the source has it, 5 where only that exists';
comment on column candle.open_time is 'start of the interval, UTC';
comment on column candle.underlying is 'NIFTY or BANKNIFTY';
comment on column candle.open is 'rupees';
comment on column candle.high is 'rupees';
comment on column candle.low is 'rupees';
comment on column candle.close is 'rupees';
comment on column candle.volume is 'units (shares), never lots; null for an index';
comment on column candle.open_interest is 'units (shares), never lots; null if unknown';
comment on column candle.source is 'tradingview, trendlyne, import or simulator';
comment on column candle.known_at is 'when these values could first be used, UTC';
comment on column candle.final is 'false while the interval still forms';
comment on table build_up is 'Five-minute positioning per contract';
comment on column build_up.symbol is 'option contract';
comment on column build_up.open_time is 'start of the 5 minutes, UTC';
comment on column build_up.underlying is 'NIFTY or BANKNIFTY';
comment on column build_up.close_time is 'end of the 5 minutes, UTC';
comment on column build_up.close is 'rupees';
comment on column build_up.open_interest is 'units (shares), never lots; null if unknown';
comment on column build_up.oi_change is 'units against the previous interval; null when that is missing';
comment on column build_up.volume is 'units (shares) of the interval';
comment on column build_up.label is 'of the contract itself: price and open interest against the previous interval';
comment on column build_up.source is 'who reported it';
comment on column build_up.known_at is 'when it could first be used, UTC';
comment on table chain_oi is 'Open interest of the whole strike ladder';
comment on column chain_oi.underlying is 'NIFTY or BANKNIFTY';
comment on column chain_oi.expiry is 'real expiry date';
comment on column chain_oi.strike is 'rupees';
comment on column chain_oi.observed_at is 'the source''s own time of the values, UTC';
comment on column chain_oi.call_oi is 'units (shares), never lots';
comment on column chain_oi.put_oi is 'units (shares), never lots';
comment on column chain_oi.call_prev_oi is 'units at the previous session''s close';
comment on column chain_oi.put_prev_oi is 'units at the previous session''s close';
comment on column chain_oi.source is 'who reported it';
comment on column chain_oi.known_at is 'when it could first be used, UTC';
comment on table signal is 'What each strategy said, with its reasons';
comment on column signal.signal_id is 'derived from the natural key, the same in every database';
comment on column signal.strategy is 'rule set';
comment on column signal.version is 'of the rule set';
comment on column signal.underlying is 'NIFTY or BANKNIFTY';
comment on column signal.session is 'trading date, IST';
comment on column signal.event_time is 'end of the evaluated interval, UTC';
comment on column signal.symbol is 'what to buy';
comment on column signal.direction is 'BULLISH or BEARISH for the underlying';
comment on column signal.kind is 'what triggered it';
comment on column signal.atm_strike is 'rupees';
comment on column signal.spot is 'the price that placed ATM, rupees';
comment on column signal.net_delta_volume is 'units; calls less puts of the cluster; a proxy: volume times the sign of the price change';
comment on column signal.strikes is 'the cluster, rupees';
comment on column signal.entry is 'premium, rupees';
comment on column signal.stop is 'premium, rupees';
comment on column signal.target1 is 'premium, rupees';
comment on column signal.target2 is 'premium, rupees';
comment on column signal.reasons is 'values per contract that led to it';
comment on column signal.params_hash is 'of the parameters';
comment on column signal.input_watermark is 'end of the newest input interval, UTC';
comment on column signal.known_at is 'when all inputs were known, UTC';
comment on column signal.withdrawn_at is 'when corrected inputs took it back; null while it stands';
comment on table signal_rejection is 'Candidates that gave no signal, and why';
comment on column signal_rejection.strategy is 'rule set';
comment on column signal_rejection.version is 'of the rule set';
comment on column signal_rejection.underlying is 'NIFTY or BANKNIFTY';
comment on column signal_rejection.session is 'trading date, IST';
comment on column signal_rejection.event_time is 'end of the evaluated interval, UTC';
comment on column signal_rejection.reason is 'against_net_delta, missing_rows or no_reference';
comment on column signal_rejection.symbol is 'the candidate contract, empty if none';
comment on column signal_rejection.details is 'values that led to it';
comment on column signal_rejection.known_at is 'when all inputs were known, UTC';
comment on table signal_outcome is 'What became of each signal';
comment on column signal_outcome.signal_id is 'signal';
comment on column signal_outcome.horizon_minutes is 'minutes after entry; 0 is the session''s end';
comment on column signal_outcome.mfe_points is 'largest gain, premium points';
comment on column signal_outcome.mae_points is 'largest loss, premium points';
comment on column signal_outcome.return_points is 'after costs, premium points';
comment on column signal_outcome.hit is 'target 1 before stop';
comment on column signal_outcome.exit_reason is 'what ended it';
comment on table random_outcome is 'The same measures for random entries of the same sessions';
comment on column random_outcome.strategy is 'rule set compared with';
comment on column random_outcome.version is 'of the rule set';
comment on column random_outcome.underlying is 'NIFTY or BANKNIFTY';
comment on column random_outcome.session is 'trading date, IST';
comment on column random_outcome.draw is 'number of the seeded draw';
comment on column random_outcome.horizon_minutes is 'minutes after entry; 0 is the session''s end';
comment on column random_outcome.mfe_points is 'premium points';
comment on column random_outcome.mae_points is 'premium points';
comment on column random_outcome.return_points is 'after costs, premium points';
comment on column random_outcome.hit is 'target 1 before stop';
comment on table raw_payload is 'Every answer of a source, bytes untouched, before parsing';
comment on column raw_payload.payload_id is 'number';
comment on column raw_payload.source is 'who answered';
comment on column raw_payload.request is 'what was asked';
comment on column raw_payload.session is 'trading date it was asked for';
comment on column raw_payload.received_at is 'market time of receipt, UTC';
comment on column raw_payload.sha256 is 'of body';
comment on column raw_payload.body is 'the bytes as received';
comment on column raw_payload.parser_error is 'why it could not be parsed; null if parsed';
comment on table change_log is 'What changed, in commit order; numbers are the ids of the live stream';
comment on column change_log.seq is 'allocated under the publish lock, so that no reader sees a number before those below it';
comment on column change_log.relation is 'candle, build_up or signal';
comment on column change_log.underlying is 'NIFTY or BANKNIFTY';
comment on column change_log.symbol is 'key of the changed row';
comment on column change_log.interval_minutes is 'of a candle';
comment on column change_log.moment is 'open_time, or event_time of a signal, UTC';
comment on column change_log.signal_id is 'of a signal, else null';
comment on table feed_meta is 'One row: the identity of this change log';
comment on column feed_meta.only_row is 'always true';
comment on column feed_meta.epoch is 'changes when numbers start anew (a new or restored database)';
comment on column feed_meta.system_identifier is 'cluster the epoch was made in';
comment on column feed_meta.timeline_id is 'timeline the epoch was made in';
comment on column feed_meta.pruned_to is 'numbers up to this one may be gone';
comment on table source_status is 'Whether each source answers';
comment on column source_status.source is 'tradingview or trendlyne';
comment on column source_status.state is 'up or down';
comment on column source_status.changed_at is 'market time of the last change of state, UTC';
comment on column source_status.last_at is 'market time of the last good answer, UTC';
comment on column source_status.error is 'why it is down';
