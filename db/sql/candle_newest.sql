-- Start of the newest candle of an underlying; null when none is stored.
select max(open_time) from candle where underlying = %(underlying)s
