-- What a session forgets: intervals without a row of their index are outages, of which nobody knows
-- whether anything was traded, and what is left to do after a session is known by what was done.

delete from empty_interval e
 where e.symbol = substring(e.symbol from '^[A-Z]+')
    or not exists (
       select from candle i
        where i.symbol = substring(e.symbol from '^[A-Z]+') and i.interval_minutes = 5 and i.final
          and i.open_time > e.open_time - interval '5 minutes' and i.open_time <= e.open_time
          and i.open_time + interval '5 minutes'
              >= e.open_time + make_interval(mins => e.interval_minutes))
   and e.interval_minutes <> (
       select count(*) from candle i
        where i.symbol = substring(e.symbol from '^[A-Z]+') and i.interval_minutes = 1 and i.final
          and i.open_time >= e.open_time
          and i.open_time < e.open_time + make_interval(mins => e.interval_minutes));

comment on table empty_interval is 'Intervals in which nothing was traded: the source, asked after their end, has no row, and their index has one; without that it is an outage, which stands nowhere';
comment on column empty_interval.symbol is 'future or option';
