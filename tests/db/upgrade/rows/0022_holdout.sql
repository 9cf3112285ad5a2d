insert into holdout (session, note) values ('2026-02-02', 'kept for the end'), ('2026-02-03', '');
insert into holdout_opening (session, strategy, version, params_hash, params, horizon_minutes, command) values
    ('2026-02-02', 'pullback', '1', 'a1', '{"stop_points": 10}', 15, 'holdout open'),
    ('2026-02-03', null, null, null, null, null, 'holdout end');
insert into holdout_verdict (strategy, version, first_session, last_session, horizon_minutes, look, level, sessions, entered, mean_return_points, luck_points, difference_points, difference_low_points, p_value, better, verdict) values
    ('pullback', '1', '2026-02-02', '2026-02-02', 15, 1, 0.025, 1, 2, 1.5, 0.5, 1, -2, 0.3, false, 'as good as luck');
insert into sweep (started_at, strategy, code_version, grid, first_session, last_session, sessions, horizon_minutes, combinations, warning, sealed, tried_ever, expected_sharpe, best_version, deflated_sharpe, reality_p, verdict) values
    ('2026-02-04 10:00Z', 'pullback', '1', '{"stop_points": [10]}', '2026-01-20', '2026-02-04', 2, 15, 1, 'luck', 2, 8, 0.4, '1-a1', 0.6, 0.2, 'luck may do it');
insert into sweep_result
select max(sweep_id), '1-a1', 'a1', '{"stop_points": 10}', 2, 2, 0, 0, 1, 0.5, 0.1, 0.9, 0.05, 0.95, 1.25, 2.5, date '2026-01-20', -3, 0.3, 1, 1.1 from sweep;
insert into sweep_session select max(sweep_id), 'a1', date '2026-01-21', 2, 1, 2.5 from sweep;
insert into sweep_walk select max(sweep_id), 10, 5, 2, 2.5, 1, -3, 4, 0.4 from sweep;
insert into sweep_window
select sweep_id, 1, date '2026-01-05', date '2026-01-16', date '2026-01-19', date '2026-01-23', 'a1', '1-a1', 1.25, 2, 2.5, 2.2, 1 from sweep_walk;
insert into sweep_judged select sweep_id, date '2026-01-21', 1, 2, 2.5, 2.5, -3, 1, 4 from sweep_walk;
