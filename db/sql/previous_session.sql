-- Of each symbol the last stored session before a time, from its finest stored interval. Sessions
-- lie within one UTC day.
select s.symbol, d.session, p.open, p.high, p.low, p.close
  from unnest(%(symbols)s::text[]) s (symbol)
 cross join lateral (
       select (greatest(
                  (select max(open_time) from candle
                    where candle.symbol = s.symbol and interval_minutes = 1
                      and open_time < %(before)s and (final or not %(only_final)s)),
                  (select max(open_time) from candle
                    where candle.symbol = s.symbol and interval_minutes = 5
                      and open_time < %(before)s and (final or not %(only_final)s)))
               at time zone 'UTC')::date as session) d
 cross join lateral (
       select interval_minutes, max(high) as high, min(low) as low,
              (array_agg(open order by open_time))[1] as open,
              (array_agg(close order by open_time desc))[1] as close
         from candle
        where candle.symbol = s.symbol and interval_minutes in (1, 5)
          and open_time >= d.session::timestamp at time zone 'UTC'
          and open_time < (d.session + 1)::timestamp at time zone 'UTC'
          and (final or not %(only_final)s)
        group by interval_minutes
        order by interval_minutes
        limit 1) p
 order by s.symbol
