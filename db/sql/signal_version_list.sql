-- Strategies and versions with signals in (start, stop], each with how many stand.
select strategy, version, count(*) filter (where withdrawn_at is null) as signals,
       count(*) filter (where withdrawn_at is not null) as withdrawn
  from signal
 where underlying = %(underlying)s and event_time > %(start)s and event_time <= %(stop)s
 group by strategy, version
 order by strategy, version
