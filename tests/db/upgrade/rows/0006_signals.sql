insert into strategy_version values ('pullback', '1', 'a1', '{"stop_points": {"NIFTY": 10}}', true, '2026-01-21 03:45Z');
insert into signal values
    ('00000000-0000-0000-0000-000000000003', 'pullback', '1', 'NIFTY', '2026-01-21', '2026-01-21 04:15Z', 'NIFTY260127C25000', 'BULLISH', 'retest', 25000, 25015, 65000, '{25000}', 102, 92, 112, null, '{}', 'a1', '2026-01-21 04:18Z', '2026-01-21 04:18:01Z', null, 'stop', 2);
insert into signal_revision
select s.*, timestamptz '2026-01-21 04:20Z' from signal s where event_time in ('2026-01-21 03:55Z', '2026-01-21 04:15Z');
