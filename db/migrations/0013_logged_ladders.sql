-- What a strike ladder shows is in the change log.
comment on column change_log.relation is 'candle, build_up, signal, contract, chain_oi, greeks or empty_interval (of candles)';
comment on column change_log.symbol is 'key of the changed row; of chain_oi, the call of its strike';
comment on column change_log.interval_minutes is 'of a candle or its greeks';
comment on column change_log.moment is 'start of what the row is about, UTC: open_time, observed_at, event_time of a signal, first_seen of a contract';
