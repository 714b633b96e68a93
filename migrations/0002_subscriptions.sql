-- How far each subscription has got. The row is locked for the length of a batch, in the transaction that also
-- holds the projection's writes: exactly-once effect, however many processes try.

create table aisle.checkpoints (
  tenant        integer     not null,
  subscription  text        not null,
  position      bigint      not null default 0,
  events        bigint      not null default 0,
  updated_at    timestamptz not null default now(),
  last_error    text,
  primary key (tenant, subscription)
) with (fillfactor = 50);
comment on table  aisle.checkpoints              is 'One row a subscription: everything up to position is in its tables.';
comment on column aisle.checkpoints.tenant       is 'The tenant.';
comment on column aisle.checkpoints.subscription is 'Name of the subscription.';
comment on column aisle.checkpoints.position     is 'Position of the last event that took effect.';
comment on column aisle.checkpoints.events       is 'How many events took effect.';
comment on column aisle.checkpoints.updated_at   is 'When it last moved.';
comment on column aisle.checkpoints.last_error   is 'Why the last try failed; null if it succeeded.';
