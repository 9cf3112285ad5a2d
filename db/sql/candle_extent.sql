-- Start of the first and of the last candle of an underlying in [start, stop); nulls for none.
select (select min(open_time) from candle
         where underlying = %(underlying)s and open_time >= %(start)s and open_time < %(stop)s),
       (select max(open_time) from candle
         where underlying = %(underlying)s and open_time >= %(start)s and open_time < %(stop)s)
