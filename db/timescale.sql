-- Idempotent, rerun after every migration: hypertables where TimescaleDB is there, else nothing.
-- Chunks: a week of one-minute rows and of quotes, a month of five-minute rows, a day of forming candles' states.
do $$
begin
    if not exists (select from pg_available_extensions where name = 'timescaledb') then
        return;
    end if;
    create extension if not exists timescaledb;
    perform create_hypertable('candle', by_range('open_time', interval '7 days'),
                              if_not_exists => true, migrate_data => true);
    perform create_hypertable('build_up', by_range('open_time', interval '1 month'),
                              if_not_exists => true, migrate_data => true);
    perform create_hypertable('greeks', by_range('open_time', interval '7 days'),
                              if_not_exists => true, migrate_data => true);
    perform create_hypertable('forming', by_range('open_time', interval '1 day'),
                              if_not_exists => true, migrate_data => true);
    perform create_hypertable('quote', by_range('moment', interval '7 days'),
                              if_not_exists => true, migrate_data => true);
    perform create_hypertable('chain_oi', by_range('observed_at', interval '1 month'),
                              if_not_exists => true, migrate_data => true);
end
$$;
