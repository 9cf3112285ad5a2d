insert into contract values
    ('NIFTY260127C25050', 'NIFTY', '2026-01-27', 25050, 'C', 65, '2026-01-21', '2026-01-21', 'upstox', '2026-01-21 03:30Z', 0.05);
insert into quote values
    ('NIFTY260127C25000', '2026-01-21 03:50Z', 101.95, 102.05, 650, 1300, 'upstox', '2026-01-21 03:50:02Z'),
    ('NIFTY260127P25000', '2026-01-21 03:50Z', null, 88.6, 0, 65, 'upstox', '2026-01-21 03:50:02Z');
update source_budget set drained_at = '2026-01-21 04:00Z' where source = 'tradingview';
