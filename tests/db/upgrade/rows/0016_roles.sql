update source_budget set session = '2026-01-21', asked = 17 where source = 'trendlyne';
insert into candle values
    ('NIFTY260127C25000', 1, '2026-01-21 03:46Z', 'NIFTY', 102, 102, 102, 102, 65, 6500000, 'upstox', '2026-01-21 03:47Z', true, true);
insert into build_up values
    ('NIFTY260127C25000', '2026-01-21 03:50Z', 'NIFTY', '2026-01-21 03:55Z', 102, 6500000, 0, 65, 'none', 'upstox', '2026-01-21 03:55Z', 'candles', true);
