-- Forget the oldest ten minutes of states before a time: some ten thousand rows, so that the stream
-- does not wait for a whole day's.
delete from forming
 where open_time < least(%(before)s, (select open_time + interval '10 minutes' from forming
                                       order by open_time limit 1))
