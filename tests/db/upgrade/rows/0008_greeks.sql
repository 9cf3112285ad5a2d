insert into greeks values
    ('NIFTY260127C25000', 1, '2026-01-21 03:45Z', 'NIFTY', 25030, 'future', 0.125, 0.52, 0.0011, -9.75, 12.5, '2026-01-21 03:46:02Z'),
    ('NIFTY260127P25000', 5, '2026-01-21 03:45Z', 'NIFTY', 25030, 'parity', null, null, null, null, null, '2026-01-21 03:50Z');
