-- IST dates in [start, stop) with candles of an underlying, ascending; one index probe per date.
with recursive found (session) as (
    select (min(open_time) at time zone 'Asia/Kolkata')::date
      from candle
     where underlying = %(underlying)s and open_time >= %(start)s and open_time < %(stop)s
    union all
    select (select (min(open_time) at time zone 'Asia/Kolkata')::date
              from candle
             where underlying = %(underlying)s and open_time < %(stop)s
               and open_time >= (found.session + 1)::timestamp at time zone 'Asia/Kolkata')
      from found
     where found.session is not null
)
select session from found where session is not null
