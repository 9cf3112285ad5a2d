-- Two steps of a query: `nearest`, per session and underlying the expiries that are the nearest of
-- the known ones at some time. Each is known from its first contract on: from the start, if that was
-- listed in an earlier session. A later expiry is never the nearest once an earlier one is known.
known as materialized (
    select underlying, expiry, first_seen, min(listed_at) as listed_at
      from (select *, min(first_seen) over (partition by underlying, expiry) as first
              from contract where underlying = any(%(underlyings)s)) c
     where first_seen = first
     group by underlying, expiry, first_seen
), nearest as materialized (
    select session, underlying, array_agg(expiry) as expiries
      from (select d.session, c.underlying, c.expiry, since,
                   min(since) over (partition by d.session, c.underlying order by c.expiry
                                    rows between unbounded preceding and 1 preceding) as sooner
              from generate_series(
                       (%(first)s::timestamptz at time zone 'Asia/Kolkata')::date::timestamp,
                       (%(last)s::timestamptz at time zone 'Asia/Kolkata')::date - interval '1 day',
                       interval '1 day') day
             cross join lateral (select day::date as session) d
              join known c on c.expiry >= d.session and c.first_seen <= d.session
             cross join lateral (
                  select case when c.first_seen < d.session then '-infinity'
                              -- No interval ends before the open: until then all are as good.
                              else greatest(c.listed_at, d.session::timestamp
                                            at time zone 'Asia/Kolkata' + interval '9 hours') end
                         as since) k
             where since is not null) e
     where sooner is null or since < sooner
     group by session, underlying
)
