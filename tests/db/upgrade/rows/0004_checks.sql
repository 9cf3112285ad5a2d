insert into check_state values
    ('2026-01-21', 'candle', 'no_gaps', 'warning', '2026-01-21 04:00Z', '{"gaps": 3}', '2026-01-21 04:05Z', '2026-01-21 04:01Z'),
    ('2026-01-21', 'candle', 'prices_are_sane', 'error', null, '{}', '2026-01-21 04:05Z', null);
