-- Outcomes of some signals, shortest horizon first; 0, the session's end, comes last.
select signal_id, horizon_minutes, entered_at, entry_price, exited_at, exit_price, gross_points,
       costs_points, mfe_points, mae_points, return_points, hit, exit_reason, lot_size
  from signal_outcome
 where signal_id = any(%(signal_ids)s)
 order by signal_id, horizon_minutes = 0, horizon_minutes
