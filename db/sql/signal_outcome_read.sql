-- Outcomes of some signals, shortest horizon first.
select signal_id, horizon_minutes, mfe_points, mae_points, return_points, hit, exit_reason
  from signal_outcome
 where signal_id = any(%(signal_ids)s)
 order by signal_id, horizon_minutes
