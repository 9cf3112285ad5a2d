-- Where the change log stands: its epoch, how far it is pruned and its newest number.
select epoch, pruned_to, greatest(pruned_to, (select max(seq) from change_log)) as newest
  from feed_meta
