-- A played day has one history, however late or fast it is played.

comment on column contract.listed_at is 'when it was first known, UTC, from when on strategies look at it in its first session: the answer that named it first; the session''s open if a source listed it for a session that was over; in recordings, played ones too, the end of its first row''s interval; null if none of them is stored';

-- What is unknown of one side is in no sum: a ratio of other strikes above than below says nothing.
create or replace view pcr as
select underlying, expiry, observed_at,
       (sum(put_oi) filter (where known))::bigint as put_oi,
       (sum(call_oi) filter (where known))::bigint as call_oi,
       (sum(put_oi) filter (where known))::double precision
           / nullif(sum(call_oi) filter (where known), 0) as pcr,
       max(known_at) as known_at,
       (count(*) filter (where not known))::integer as strikes_unknown
  from (select *, call_oi is not null and put_oi is not null as known from chain_oi) c
 group by underlying, expiry, observed_at;

comment on view pcr is 'Put-call ratio of the ladder''s open interest, over the strikes of which both sides are known';
comment on column pcr.strikes_unknown is 'strikes with a side whose open interest is unknown: in no sum';
