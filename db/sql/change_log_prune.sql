-- Forget all but the newest entries; readers whose cursor lies before must start over.
with oldest_kept as (
    select seq from change_log order by seq desc offset greatest(%(keep)s - 1, 0) limit 1
), pruned as (
    delete from change_log where seq < (select seq from oldest_kept) returning seq
), noted as (
    update feed_meta set pruned_to = greatest(pruned_to, (select max(seq) from pruned))
     where exists (select from pruned)
)
select count(*) from pruned
