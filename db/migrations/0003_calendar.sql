-- What users know better than the calendar in the program: late holidays, special sessions, moved
-- expiries, and years that the program does not cover yet. Read by each process at its start.

create table calendar_override (
    kind       text not null check (kind in ('year', 'holiday', 'session', 'expiry')),
    day        date not null check (day >= '2020-01-01'),
    underlying text check (underlying in ('NIFTY', 'BANKNIFTY')),
    opens      time,
    closes     time check (closes > opens),
    moved_to   date check (moved_to <> day and abs(moved_to - day) < 7),
    reason     text not null check (reason <> ''),
    unique nulls not distinct (kind, day, underlying),
    constraint year_is_its_first_day check (kind <> 'year' or extract(doy from day) = 1),
    constraint hours_are_complete check ((opens is null) = (closes is null)),
    constraint session_has_hours check (kind <> 'session' or opens is not null),
    constraint only_trading_days_have_hours check (kind in ('session', 'holiday') or opens is null),
    constraint expiry_names_its_underlying check ((kind = 'expiry') = (underlying is not null)),
    constraint expiry_is_moved check ((kind = 'expiry') = (moved_to is not null))
);
create unique index calendar_override_one_truth on calendar_override (day)
    where kind in ('holiday', 'session');

comment on table calendar_override is 'Corrections to the calendar by its users, with priority over the program''s; see docs/calendar.md';
comment on column calendar_override.kind is 'year: all of its holidays are known; holiday: no ordinary session; session: trading with these hours; expiry: moved to another date';
comment on column calendar_override.day is 'the date; of a year its 1 January; of an expiry the date the calendar computes';
comment on column calendar_override.underlying is 'NIFTY or BANKNIFTY, of an expiry; else null';
comment on column calendar_override.opens is 'IST, of a session, and of a holiday with a Muhurat session; else null';
comment on column calendar_override.closes is 'IST, as opens';
comment on column calendar_override.moved_to is 'real date of an expiry, within the same week; else null';
comment on column calendar_override.reason is 'where it is announced, e.g. the circular''s number';
