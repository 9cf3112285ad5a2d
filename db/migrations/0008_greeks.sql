-- Implied volatility and greeks per option and interval, computed from final candles.

create table greeks (
    symbol             text not null,
    interval_minutes   smallint not null check (interval_minutes in (1, 5)),
    open_time          timestamptz not null,
    underlying         text not null,
    forward            double precision not null check (forward > 0),
    forward_source     text not null check (forward_source in ('future', 'parity')),
    implied_volatility double precision check (implied_volatility > 0),
    delta              double precision check (delta between -1 and 1),
    gamma              double precision check (gamma >= 0),
    theta              double precision,
    vega               double precision check (vega >= 0),
    known_at           timestamptz not null,
    -- By time before the width: the newest row of a contract at a time is one look-up.
    primary key (symbol, open_time, interval_minutes)
);
create index greeks_by_underlying on greeks (underlying, open_time);

-- What a signal's contract was like when the signal was known: the newest row of the evaluated
-- interval that was known by then.
create view signal_greeks as
select s.signal_id, g.implied_volatility, g.delta, g.gamma, g.theta, g.vega, g.forward,
       g.forward_source, g.open_time, g.interval_minutes, g.known_at
  from signal s
  cross join lateral (
       select * from greeks
        where greeks.symbol = s.symbol and greeks.known_at <= s.known_at
          and greeks.open_time >= s.event_time - interval '5 minutes'
          and greeks.open_time + make_interval(mins => greeks.interval_minutes) <= s.event_time
        order by greeks.open_time + make_interval(mins => greeks.interval_minutes) desc,
                 greeks.interval_minutes
        limit 1) g;

comment on table greeks is 'Implied volatility and greeks (Black-76) of each option candle with a trade and a forward, per unit';
comment on column greeks.symbol is 'option contract';
comment on column greeks.interval_minutes is 'of the candle, 1 or 5';
comment on column greeks.open_time is 'start of the candle, UTC; the values are of its end';
comment on column greeks.underlying is 'NIFTY or BANKNIFTY';
comment on column greeks.forward is 'what the underlying costs at expiry, rupees';
comment on column greeks.forward_source is 'future: its close; parity: from calls and puts of the same interval';
comment on column greeks.implied_volatility is 'per year, 0.14 is 14 %; null when the price implies none, as are then all greeks';
comment on column greeks.delta is 'rupees per point of the forward; below zero for puts';
comment on column greeks.gamma is 'of delta, per point of the forward';
comment on column greeks.theta is 'rupees per calendar day that passes';
comment on column greeks.vega is 'rupees per percentage point of volatility';
comment on column greeks.known_at is 'when the last candle it was computed from was known, UTC';
comment on view signal_greeks is 'Greeks of each signal''s contract, the newest of the evaluated interval known with the signal';
