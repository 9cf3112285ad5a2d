insert into feed_fault values ('signals', 'ValueError: no', 3, '2026-01-21 04:00Z', '2026-01-21 04:02Z');
