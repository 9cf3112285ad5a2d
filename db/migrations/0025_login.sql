-- Who has given CHART_TOKEN and may see the pages.

create table login (
    token_hash  bytea primary key,
    made        timestamptz not null default now(),
    last_used   timestamptz not null default now(),
    ends        timestamptz not null
);
comment on table login is 'Browsers that gave CHART_TOKEN; of the chart server alone. A deleted row is a login that has ended';
comment on column login.token_hash is 'HMAC-SHA256 of the browser''s cookie under CHART_TOKEN: another token ends all logins';
comment on column login.made is 'by the database server''s clock, UTC';
comment on column login.last_used is 'to the minute';
comment on column login.ends is 'when it ends, however much it is used';
