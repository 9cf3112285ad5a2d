-- Whether a trade was lost may hang on a minute in which nothing was traded: live signals are told.
comment on column change_log.relation is 'candle, build_up, signal or empty_interval (of candles)';
