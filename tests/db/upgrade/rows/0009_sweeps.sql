insert into sweep (started_at, strategy, code_version, grid, first_session, last_session, sessions, horizon_minutes, combinations, warning) values
    ('2026-01-22 10:00Z', 'pullback', '1', '{"stop_points": [10, 12.5]}', '2026-01-20', '2026-01-21', 2, 15, 2, 'luck');
insert into sweep_result
select sweep_id, '1-a1', 'a1', '{"stop_points": 10}', 4, 2, 1, 1, 1, 0.5, 0.1, 0.9, 0.05, 0.95, 1.25, 2.5, date '2026-01-20', -3 from sweep;
insert into sweep_result
select sweep_id, '1-b2', 'b2', '{"stop_points": 12.5}', 0, 0, 0, 0, 0, null, null, null, null, null, null, 0, null, null from sweep;
