insert into signal_outcome values
    ('00000000-0000-0000-0000-000000000002', 15, 8, 9, -8.5, false, 'stop', '2026-01-21 03:59Z', 88.5, '2026-01-21 04:06Z', 80, -8.5, 0.6),
    ('00000000-0000-0000-0000-000000000003', 15, 0, 0, 0, false, 'not_entered', null, null, null, null, null, null);
insert into random_outcome values
    ('pullback', '1', 'NIFTY', '2026-01-21', 2, 15, 4, 5.5, -2.25, false, '00000000-0000-0000-0000-000000000001', 'NIFTY260127C25000', '2026-01-21 03:59Z', 102, '2026-01-21 04:14Z', 99.75, 'horizon', -2, 0.25);
