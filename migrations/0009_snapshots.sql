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

select aisle.protect();
