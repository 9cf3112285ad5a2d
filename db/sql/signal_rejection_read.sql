-- The newest rejected candidates whose interval ended in (start, stop], and how many there are.
select strategy, version, underlying, session, event_time, reason, symbol, details, known_at,
       count(*) over () as total
  from signal_rejection
 where underlying = %(underlying)s and event_time > %(start)s and event_time <= %(stop)s
   and (%(strategy)s::text is null or strategy = %(strategy)s)
   and (%(version)s::text is null or version = %(version)s)
 order by event_time desc, strategy, version, reason, symbol
 limit %(limit)s
