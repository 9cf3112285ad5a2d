-- Five minutes of each option as its candles and the strike ladder tell them, for contracts that no
-- source's own rows tell of. A price needs every minute of the interval: traded, or known to be
-- empty. A volume that is unknown in part is unknown.
with minutes as (
    select c.symbol, c.interval_minutes, c.open_time, c.close, c.volume, c.open_interest, c.source,
           c.known_at, c.backfilled, date_bin('5 minutes', c.open_time, timestamptz '2000-01-01') as bucket
      from candle c
     where c.underlying = any(%(underlyings)s) and c.final
       and c.open_time >= %(first)s::timestamptz and c.open_time < %(last)s::timestamptz
       and exists (select from contract k where k.symbol = c.symbol)
), empty as (
    select symbol, date_bin('5 minutes', open_time, timestamptz '2000-01-01') as bucket,
           count(*) as number, max(confirmed_at) as known_at
      from empty_interval
     where relation = 'candle' and interval_minutes = 1 and confirmed_at is not null
       and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
     group by 1, 2
), traded as (
    select symbol, bucket, (array_agg(close order by open_time desc))[1] as close,
           case when count(volume) = count(*) then sum(volume)::bigint end as volume,
           (array_agg(open_interest order by open_time desc))[1] as open_interest,
           string_agg(distinct source, '+' order by source) as source,
           max(known_at) as known_at, bool_or(backfilled) as backfilled, count(*) as number
      from minutes where interval_minutes = 1
     group by 1, 2
), priced as (
    select t.symbol, t.bucket, t.close, t.volume, t.open_interest, t.source,
           case when t.backfilled then t.known_at else greatest(t.known_at, e.known_at) end
               as known_at,
           t.backfilled
      from traded t left join empty e using (symbol, bucket)
     where t.number + coalesce(e.number, 0) = 5
    union all
    select symbol, bucket, close, volume, open_interest, source, known_at, backfilled
      from minutes m
     where interval_minutes = 5
       and not exists (select from traded t where (t.symbol, t.bucket) = (m.symbol, m.bucket))
)
select p.symbol, k.underlying, p.bucket as open_time, p.close, p.volume,
       coalesce(p.open_interest, l.open_interest) as open_interest,
       case when p.open_interest is not null or l.source = p.source then p.source
            else l.source || '+' || p.source end as source,
       case when p.open_interest is null then greatest(p.known_at, l.known_at) else p.known_at end
           as known_at,
       case when p.open_interest is null then 'ladders' else 'candles' end as made_from,
       p.backfilled
  from priced p
  join contract k on k.symbol = p.symbol
  left join lateral (
       select case k.option_type when 'C' then o.call_oi else o.put_oi end as open_interest,
              o.source, o.known_at
         from chain_oi o
        where (o.underlying, o.expiry, o.strike) = (k.underlying, k.expiry, k.strike)
          and o.observed_at = p.bucket + interval '5 minutes') l on true
 where coalesce(p.open_interest, l.open_interest) is not null
   and not exists (select from build_up b
                    where (b.symbol, b.open_time) = (p.symbol, p.bucket) and b.made_from = 'rows')
 order by p.symbol, p.bucket
