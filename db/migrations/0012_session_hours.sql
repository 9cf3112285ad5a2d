-- The hours of sessions, where views can read them. What the program's calendar says is written here
-- with every run of the migrations; what users correct is read from `calendar_override` itself, so
-- that a correction counts for the next query. Every date has hours, whether or not it trades.
-- A session lies within one UTC day.

create table trading_hours (
    first_day date not null,
    last_day  date not null check (last_day >= first_day),
    opens     time not null,
    closes    time not null check (closes > opens),
    primary key (first_day, last_day),
    -- The buckets count on it.
    constraint ordinary_days_open_at_0915 check (first_day = last_day or opens = '09:15')
);
comment on table trading_hours is 'Hours of index derivatives as the program''s calendar has them: of a single day, or ordinary ones from a day to another; see docs/calendar.md';
comment on column trading_hours.first_day is 'from this date on';
comment on column trading_hours.last_day is 'up to this date; the same date for hours of their own; 9999-12-31: until further notice';
comment on column trading_hours.opens is 'IST';
comment on column trading_hours.closes is 'IST';

create view special_hours as
select session, (session + opens) at time zone 'Asia/Kolkata' as open_time,
       (session + closes) at time zone 'Asia/Kolkata' as close_time
  from (select day as session, opens, closes from calendar_override where opens is not null
         union all
        select first_day, opens, closes from trading_hours
         where first_day = last_day
           and not exists (select from calendar_override o
                            where o.day = trading_hours.first_day and o.opens is not null)) h;
comment on view special_hours is 'Sessions with hours of their own: Muhurat, and what calendar_override says; UTC';

create function session_hours(day date)
returns table (open_time timestamptz, close_time timestamptz)
language sql stable as $$
    select coalesce(s.open_time, (d.day + r.opens) at time zone 'Asia/Kolkata'),
           coalesce(s.close_time, (d.day + r.closes) at time zone 'Asia/Kolkata')
      from (select session_hours.day) d
      left join special_hours s on s.session = d.day
      left join trading_hours r
        on r.first_day < r.last_day and d.day between r.first_day and r.last_day
$$;

-- Buckets begin at the session's open and end with its close. A volume of which a part is unknown is
-- unknown, and what does not fit into a bucket whole (5 minutes into 3) is in none. A bucket is final
-- when its rows are and it is over: it ends, the session does, or a later candle is stored.
create or replace function candle_bucket(width interval)
returns table (
    symbol text, open_time timestamptz, underlying text, open double precision,
    high double precision, low double precision, close double precision, volume bigint,
    open_interest bigint, source text, known_at timestamptz, final boolean)
language sql stable as $$
    with finest as (
        select *, (open_time at time zone 'UTC')::date as session from candle c
         where extract(epoch from width)::integer % (60 * interval_minutes) = 0
           and (interval_minutes = 1 or not exists (
                select from candle finer
                 where finer.symbol = c.symbol and finer.interval_minutes = 1
                   and finer.open_time >= date_bin('1 day', c.open_time, '2000-01-01+00')
                   and finer.open_time
                       < date_bin('1 day', c.open_time, '2000-01-01+00') + interval '1 day'))
    ), bucket as (
        select c.symbol,
               date_bin(width, c.open_time, coalesce(s.open_time, '2000-01-01 03:45+00'))
                   as open_time,
               c.underlying,
               (array_agg(c.open order by c.open_time))[1] as open,
               max(c.high) as high,
               min(c.low) as low,
               (array_agg(c.close order by c.open_time desc))[1] as close,
               case when count(c.volume) = count(*) then sum(c.volume)::bigint end as volume,
               (array_agg(c.open_interest order by c.open_time desc)
                    filter (where c.open_interest is not null))[1] as open_interest,
               min(c.source) as source,
               max(c.known_at) as known_at,
               bool_and(c.final) as final,
               max(c.open_time + make_interval(mins => c.interval_minutes)) as until,
               min(c.session) as session,
               min(s.close_time) as special_close
          from finest c
          left join special_hours s on s.session = c.session
         group by 1, 2, 3
    ), closed as (
        select b.*, coalesce(
                   b.special_close, (b.session + r.closes) at time zone 'Asia/Kolkata') as close_time
          from bucket b
          left join trading_hours r
            on r.first_day < r.last_day and b.session between r.first_day and r.last_day
    )
    select symbol, open_time, underlying, open, high, low, close, volume, open_interest, source,
           known_at,
           final and (
               until >= open_time + width
               or (until >= close_time and open_time < close_time)
               or exists (
                   select from candle later
                    where later.symbol = closed.symbol and later.interval_minutes in (1, 5)
                      and later.open_time >= closed.until))
      from closed
$$;
create view candle_3m as select * from candle_bucket('3 minutes');
