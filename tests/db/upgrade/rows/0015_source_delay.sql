insert into source_status values
    ('upstox', 'up', '2026-01-21 03:40Z', '2026-01-21 03:47Z', null, 900, '2026-01-22 22:00Z', 'delayed');
