-- Where the change log stands: its epoch and stretch, how far it is pruned, its newest number, and up
-- to which number the stretch that is asked for is this log's.
select epoch, stretch, pruned_to, newest, shared_to from change_log_state(%(stretch)s)
