-- A minute of a session: index and two options.
insert into contract values
    ('NIFTY260127C25000', 'NIFTY', '2026-01-27', 25000, 'C', 65, '2026-01-19', '2026-01-21', 'trendlyne'),
    ('NIFTY260127P25000', 'NIFTY', '2026-01-27', 25000, 'P', null, '2026-01-21', '2026-01-21', 'trendlyne');
insert into candle values
    ('NIFTY', 1, '2026-01-21 03:45Z', 'NIFTY', 25010.5, 25020, 25000.05, 25015, null, null, 'tradingview', '2026-01-21 03:46:01.5Z', true),
    ('NIFTY', 5, '2026-01-20 03:45Z', 'NIFTY', 24900, 24950, 24890, 24940, null, null, 'import', '2026-01-20 03:50Z', true),
    ('NIFTY260127C25000', 1, '2026-01-21 03:45Z', 'NIFTY', 101.35, 103, 100.1, 102, 130000, 6500000, 'tradingview', '2026-01-21 03:46:02Z', true),
    ('NIFTY260127C25000', 1, '2026-01-21 03:47Z', 'NIFTY', 102, 102.5, 102, 102.5, 0, null, 'tradingview', '2026-01-21 03:47:30Z', false);
insert into build_up values
    ('NIFTY260127C25000', '2026-01-21 03:45Z', 'NIFTY', '2026-01-21 03:50Z', 102, 6500000, 65000, 130000, 'long_build_up', 'trendlyne', '2026-01-21 03:53Z'),
    ('NIFTY260127P25000', '2026-01-21 03:45Z', 'NIFTY', '2026-01-21 03:50Z', 88.5, null, null, null, 'none', 'trendlyne', '2026-01-21 03:53Z');
insert into chain_oi values
    ('NIFTY', '2026-01-27', 25000, '2026-01-21 03:50Z', 6500000, 5200000, 6435000, 5265000, 'trendlyne', '2026-01-21 03:53Z'),
    ('NIFTY', '2026-01-27', 25050, '2026-01-21 03:50Z', null, 65, null, 0, 'trendlyne', '2026-01-21 03:53Z');
insert into signal values
    ('00000000-0000-0000-0000-000000000001', 'pullback', '1', 'NIFTY', '2026-01-21', '2026-01-21 03:50Z', 'NIFTY260127C25000', 'BULLISH', 'spike', 25000, 25015, 65000, '{25000,25050}', 102, 92, 112, 122, '{"volume": [130000, null]}', 'a1', '2026-01-21 03:53Z', '2026-01-21 03:53:01Z', null),
    ('00000000-0000-0000-0000-000000000002', 'pullback', '1', 'NIFTY', '2026-01-21', '2026-01-21 03:55Z', 'NIFTY260127P25000', 'BEARISH', 'spike', 25000, 25015, null, '{}', 88.5, 80, 95, 105, '{}', 'a1', '2026-01-21 03:58Z', '2026-01-21 03:58:01Z', '2026-01-21 04:10Z');
insert into signal_rejection values
    ('pullback', '1', 'NIFTY', '2026-01-21', '2026-01-21 04:00Z', 'no_trend', '', '{"slope": 0.25}', '2026-01-21 04:03Z'),
    ('pullback', '1', 'NIFTY', '2026-01-21', '2026-01-21 04:05Z', 'spread', 'NIFTY260127C25000', '{}', null);
insert into signal_outcome values
    ('00000000-0000-0000-0000-000000000001', 15, 12.5, 3, 10, true, 'target1');
insert into random_outcome values ('pullback', '1', 'NIFTY', '2026-01-21', 1, 15, 4, 5.5, -2.25, false);
-- The second answer is the first one again.
insert into raw_payload (source, request, session, received_at, sha256, body, parser_error) values
    ('trendlyne', 'GET /chain', '2026-01-21', '2026-01-21 03:52Z', '\x01', '\x7b7d', null),
    ('trendlyne', 'GET /chain', '2026-01-21', '2026-01-21 03:53Z', '\x01', '\x7b7d', null),
    ('trendlyne', 'GET /chain', '2026-01-21', '2026-01-21 03:54Z', '\x02', '\x00ff', 'body: no JSON');
insert into change_log (relation, underlying, symbol, interval_minutes, moment, signal_id) values
    ('candle', 'NIFTY', 'NIFTY', 1, '2026-01-21 03:45Z', null),
    ('signal', 'NIFTY', 'NIFTY260127C25000', null, '2026-01-21 03:50Z', '00000000-0000-0000-0000-000000000001');
-- Of this cluster: to another one migrating would give an epoch of its own.
insert into feed_meta (epoch, system_identifier, timeline_id, pruned_to)
select '0a1b2c3d', system_identifier, timeline_id, 1 from pg_control_system(), pg_control_checkpoint();
insert into source_status values
    ('tradingview', 'up', '2026-01-21 03:40Z', '2026-01-21 03:47:30Z', null),
    ('trendlyne', 'down', '2026-01-21 03:54Z', null, 'trendlyne answers HTTP 403');
