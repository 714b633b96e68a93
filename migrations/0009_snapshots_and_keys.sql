-- Deciders' states beside their streams, so that a long stream is opened without folding all of it. Everything in here
-- can be deleted at any time: it is made again.

create table aisle.snapshots (
  tenant          integer     not null,
  stream          text        not null,
  schema_version  smallint    not null,
  version         bigint      not null,
  position        bigint      not null,
  event_id        uuid        not null,
  state           bytea       not null,
  taken_at        timestamptz not null default now(),
  primary key (tenant, stream)
);
comment on table  aisle.snapshots                is 'One row a stream that has one: its decider''s state after one of its events. Deleted when somebody is forgotten.';
comment on column aisle.snapshots.tenant         is 'The tenant.';
comment on column aisle.snapshots.stream         is 'Name of the stream.';
comment on column aisle.snapshots.schema_version is 'Of the encoded state; programs read their own only.';
comment on column aisle.snapshots.version        is 'Version of the last event in the state.';
comment on column aisle.snapshots.position       is 'That event''s position.';
comment on column aisle.snapshots.event_id       is 'That event''s id: a state of another history is not used.';
comment on column aisle.snapshots.state          is 'The state as its decider encodes it. It may hold names.';
comment on column aisle.snapshots.taken_at       is 'When it was taken.';

-- Keys are looked up by the hundred, with plans that are made while the table is young and has no statistics. The plan of
-- choice then reads the whole table, or an index by the tenant alone, and compares each key with all that are looked for.
-- One look-up for each is a plan that the planner cannot better.
create function aisle.keys_by_lookup(for_tenant integer, for_lookups bytea[])
returns table (lookup bytea, key_id uuid, key bytea)
language plpgsql stable
set enable_seqscan = off
as $$
begin
  return query
    select k.lookup, k.key_id, k.key
    from unnest(for_lookups) l (lookup)
    cross join lateral (
      select s.lookup, s.key_id, s.key
      from aisle.subject_keys s
      where s.tenant = for_tenant and s.lookup = l.lookup
      offset 0
    ) k;
end
$$;
comment on function aisle.keys_by_lookup is 'The keys of some people, found by their hash.';

create function aisle.keys_by_id(for_tenant integer, for_ids uuid[])
returns table (key_id uuid, key bytea)
language plpgsql stable
set enable_seqscan = off
as $$
begin
  return query
    select k.key_id, k.key
    from unnest(for_ids) i (key_id)
    cross join lateral (
      select s.key_id, s.key
      from aisle.subject_keys s
      where s.tenant = for_tenant and s.key_id = i.key_id
      offset 0
    ) k;
end
$$;
comment on function aisle.keys_by_id is 'Some keys, found by what stands for the person.';

select aisle.protect();
