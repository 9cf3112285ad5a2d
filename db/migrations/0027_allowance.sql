-- How much of a source's allowance is used shows to nobody while only the asker knows the allowance.

alter table source_budget add column allowance integer check (allowance >= 0);
comment on column source_budget.allowance is 'requests that a session may have, as whoever asked last was told; null where nothing limits them';
