-- signal_equity of signals in (start, stop] at one horizon.
select * from signal_equity(
    %(history)s, %(fills)s, '-infinity', 'infinity', %(start)s, %(stop)s,
    %(underlying)s, %(strategy)s, %(version)s, %(direction)s)
 where horizon_minutes = %(horizon)s
 order by strategy, version, session
