insert into source_preference values ('upstox', 0), ('tradingview', 1);
insert into source_version values
    ('candle', '{"symbol": "NIFTY", "interval_minutes": 1}', 'upstox', '2026-01-21 03:45Z', '{"close": 25015}', '2026-01-21 03:46Z'),
    ('candle', '{"symbol": "NIFTY", "interval_minutes": 1}', 'tradingview', '2026-01-21 03:45Z', '{"close": 25055, "backfilled": false}', '2026-01-21 03:46Z');
