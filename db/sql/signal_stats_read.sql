-- signal_statistics of signals in (start, stop] and of the random entries beside them.
select * from signal_statistics(
    %(history)s, %(fills)s, '-infinity', 'infinity', %(start)s, %(stop)s, %(underlying)s,
    %(strategy)s, %(version)s, %(direction)s)
 order by strategy, version, horizon_minutes = 0, horizon_minutes
