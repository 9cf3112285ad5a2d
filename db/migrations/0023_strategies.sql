-- Which strategies are switched off and why, and what was proved of each version.

create table strategy_fault (
    module    text not null,
    strategy  text not null,
    digest    text not null,
    problem   text not null,
    since     timestamptz not null,
    primary key (module, strategy)
);
comment on table strategy_fault is 'Strategies that are switched off: a module that cannot be loaded, or a strategy that failed, took too long, gave rows against the contract or looked into the future; the feed forgets what failed when it starts';
comment on column strategy_fault.module is 'file of STRATEGIES_DIR, entry point, or optionscalp';
comment on column strategy_fault.strategy is 'its name; empty where the module could not be loaded';
comment on column strategy_fault.digest is 'of the code that failed: other code is tried anew';
comment on column strategy_fault.problem is 'one line';
comment on column strategy_fault.since is 'market time, UTC';

create table strategy_proof (
    strategy  text not null,
    version   text not null,
    session   date not null,
    proof     text not null check (proof in ('parity', 'lookahead')),
    equal     boolean not null,
    digest    text not null,
    proved_at timestamptz not null,
    primary key (strategy, version, session, proof)
);
comment on table strategy_proof is 'What optionscalp parity and optionscalp lookahead found last of a version in a session';
comment on column strategy_proof.strategy is 'rule set';
comment on column strategy_proof.version is 'as stored with its signals';
comment on column strategy_proof.session is 'trading date, IST';
comment on column strategy_proof.proof is 'parity: every form gives the stored rows; lookahead: no row knows what came later';
comment on column strategy_proof.equal is 'whether it holds';
comment on column strategy_proof.digest is 'of the code that was proved: where it changes, the proof is forgotten';
comment on column strategy_proof.proved_at is 'market time, UTC';

create view strategy_proof_status as
select v.strategy, v.version,
       case when bool_or(not p.equal) then 'different'
            when bool_or(p.proof = 'parity') and bool_or(p.proof = 'lookahead') then 'proved'
            else 'unproved' end as status,
       count(*) filter (where p.proof = 'parity' and p.equal) as parity_sessions,
       count(*) filter (where p.proof = 'lookahead' and p.equal) as lookahead_sessions,
       count(distinct p.session) filter (where not p.equal) as different_sessions,
       min(p.session) as first_session, max(p.session) as last_session,
       max(p.proved_at) as proved_at
  from strategy_version v
  left join strategy_proof p using (strategy, version)
 group by v.strategy, v.version;
comment on view strategy_proof_status is 'Whether a version of a strategy is proved: parity and look-ahead held in a session at least, and failed in none; statistics of others are of rules that nobody proved';
