insert into signal_outcome values
    ('00000000-0000-0000-0000-000000000001', 15, 12.5, 3, 10, true, 'target1', '2026-01-21 03:54Z', 102, '2026-01-21 04:01Z', 112, 10, 0.6, 65),
    ('00000000-0000-0000-0000-000000000003', 15, null, null, 0, false, 'not_entered', null, null, null, null, null, null, null);
insert into random_outcome values
    ('pullback', '1', 'NIFTY', '2026-01-21', 1, 15, null, 5.5, -2.25, false, '00000000-0000-0000-0000-000000000001', 'NIFTY260127C25000', '2026-01-21 03:59Z', 102, '2026-01-21 04:14Z', 99.75, 'horizon', -2, 0.25),
    ('pullback', '1', 'NIFTY', '2026-01-21', 2, 15, 4, 5.5, -2.25, false, '00000000-0000-0000-0000-000000000001', 'NIFTY260127C25000', '2026-01-21 03:59Z', 102, '2026-01-21 04:14Z', 99.75, 'horizon', -2, 0.25);
insert into signal_outcome_case values
    ('00000000-0000-0000-0000-000000000001', 15, 'corrected', 2, 12.4, 3.1, 9.8, true, 'target1', '2026-01-21 03:54Z', 102.1, '2026-01-21 04:01Z', 111.9, 9.8, 0.6, 65, 10, 4, 5, 6, -1.5),
    ('00000000-0000-0000-0000-000000000002', 15, 'known_then', 0, null, null, -8, false, 'stop', null, null, null, null, null, null, null, 0, 0, null, null, null);
