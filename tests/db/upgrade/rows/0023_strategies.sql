insert into strategy_fault values
    ('mine.py', 'breakout', 'd1', 'took longer than 2 s', '2026-01-21 04:00Z'),
    ('broken.py', '', 'd2', 'no module named lib', '2026-01-21 03:40Z');
insert into strategy_proof values
    ('pullback', '1', '2026-01-21', 'parity', true, 'd3', '2026-01-21 11:00Z'),
    ('pullback', '1', '2026-01-21', 'lookahead', false, 'd3', '2026-01-21 11:05Z');
