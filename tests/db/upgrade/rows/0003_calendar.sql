insert into calendar_override values
    ('year', '2031-01-01', null, null, null, null, 'not covered yet'),
    ('session', '2026-02-01', null, '09:15', '15:30', null, 'budget'),
    ('expiry', '2026-03-31', 'NIFTY', null, null, '2026-03-30', 'moved late');
