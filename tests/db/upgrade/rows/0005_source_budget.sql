insert into source_budget values
    ('trendlyne', '2026-01-21 04:00Z', '2026-01-21 04:00:10Z', 2, '2026-01-21 03:54Z', '2026-01-21 04:30Z', 'HTTP 403'),
    ('tradingview', '2026-01-21 04:00Z', '2026-01-21 04:00:01Z', 0, null, null, null);
