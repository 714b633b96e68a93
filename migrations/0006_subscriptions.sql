-- Who runs which subscription, what waits behind an event that no handler takes, and how a projection is rebuilt.
--
-- A subscription has one row in aisle.checkpoints for each of its partitions: `name`, or `name/0` … `name/n-1`. A
-- worker owns a partition by a lease in that row. Everything here is added to what the previous release knows, which
-- goes on under the row's lock; a row with partitions = 0 tells it that it is at the end of any log.

alter table aisle.checkpoints
  add column partition         integer     not null default 0,
  add column partitions        integer     not null default 1,
  add column former            bigint[]    not null default '{}',
  add column owner             uuid,
  add column epoch             bigint      not null default 0,
  add column lease_expires_at  timestamptz,
  add column followed_at       timestamptz,
  add column categories        text[]      not null default '{}',
  add column types             text[]      not null default '{}',
  add column tags              text[]      not null default '{}',
  add column failing_since     timestamptz,
  add column attempts          integer     not null default 0,
  add column stopped           boolean     not null default false,
  add column generation        integer     not null default 1;
comment on column aisle.checkpoints.subscription     is 'Name of the subscription; with a slash and its number if it has several partitions.';
comment on column aisle.checkpoints.partition        is 'Which partition, from 0.';
comment on column aisle.checkpoints.partitions       is 'How many the subscription has; 0 in a row that only keeps the place of a subscription with several.';
comment on column aisle.checkpoints.former           is 'Positions of the partitions before their number was changed; what they had done is not done again.';
comment on column aisle.checkpoints.owner            is 'The worker that runs it; null if it was given back.';
comment on column aisle.checkpoints.epoch            is 'Grows with each new owner; a write with an older one changes nothing.';
comment on column aisle.checkpoints.lease_expires_at is 'Until when the owner has it, by the database''s clock; when it was given back if there is no owner.';
comment on column aisle.checkpoints.followed_at      is 'When a worker first followed it; null: only commands ever ran it, and nobody is missed.';
comment on column aisle.checkpoints.categories       is 'Only events of these categories; all if empty.';
comment on column aisle.checkpoints.types            is 'Only events of these types; all if empty.';
comment on column aisle.checkpoints.tags             is 'Only events that have all of these tags; all events if empty.';
comment on column aisle.checkpoints.failing_since    is 'Since when no try has succeeded.';
comment on column aisle.checkpoints.attempts         is 'How often the event after position has failed alone.';
comment on column aisle.checkpoints.stopped          is 'Whether it is held up by that event, which will not be passed.';
comment on column aisle.checkpoints.generation       is 'Grows with each rebuild.';

create table aisle.workers (
  tenant         integer     not null,
  worker         uuid        not null,
  description    text        not null,
  subscriptions  text[]      not null,
  started_at     timestamptz not null default clock_timestamp(),
  expires_at     timestamptz not null,
  primary key (tenant, worker)
);
comment on table  aisle.workers               is 'Processes that run subscriptions; they share the partitions.';
comment on column aisle.workers.tenant        is 'The tenant.';
comment on column aisle.workers.worker        is 'Made when the worker started.';
comment on column aisle.workers.description   is 'Host and process.';
comment on column aisle.workers.subscriptions is 'What it can run.';
comment on column aisle.workers.started_at    is 'When it started.';
comment on column aisle.workers.expires_at    is 'When it counts as dead unless it says otherwise, by the database''s clock.';

create table aisle.parked_streams (
  tenant         integer     not null,
  subscription   text        not null,
  stream         text        not null,
  error          text        not null,
  attempts       integer     not null,
  parked_at      timestamptz not null default clock_timestamp(),
  retried_at     timestamptz,
  claimed_by     uuid,
  claimed_until  timestamptz,
  primary key (tenant, subscription, stream)
);
comment on table  aisle.parked_streams               is 'Streams whose first waiting event no try has taken; their later events queue behind it.';
comment on column aisle.parked_streams.tenant        is 'The tenant.';
comment on column aisle.parked_streams.subscription  is 'Name of the subscription.';
comment on column aisle.parked_streams.stream        is 'Name of the stream.';
comment on column aisle.parked_streams.error         is 'Why the last try failed.';
comment on column aisle.parked_streams.attempts      is 'How often it was tried.';
comment on column aisle.parked_streams.parked_at     is 'When it was parked.';
comment on column aisle.parked_streams.retried_at    is 'When an operator last had it tried again.';
comment on column aisle.parked_streams.claimed_by    is 'Who is trying again outside of a transaction.';
comment on column aisle.parked_streams.claimed_until is 'Until when nobody else may.';

create table aisle.parked_events (
  tenant        integer     not null,
  subscription  text        not null,
  position      bigint      not null,
  stream        text        not null,
  event_id      uuid        not null,
  type          text        not null,
  parked_at     timestamptz not null default clock_timestamp(),
  skipped_at    timestamptz,
  skipped_by    text,
  primary key (tenant, subscription, position)
);
create index parked_events_in_order on aisle.parked_events (tenant, subscription, stream, position);
comment on table  aisle.parked_events              is 'Events that wait in the queue of a parked stream, and those that an operator had skipped.';
comment on column aisle.parked_events.tenant       is 'The tenant.';
comment on column aisle.parked_events.subscription is 'Name of the subscription.';
comment on column aisle.parked_events.position     is 'Position in the log.';
comment on column aisle.parked_events.stream       is 'Name of the stream.';
comment on column aisle.parked_events.event_id     is 'The event.';
comment on column aisle.parked_events.type         is 'Its type.';
comment on column aisle.parked_events.parked_at    is 'When it came into the queue.';
comment on column aisle.parked_events.skipped_at   is 'When it was skipped; null while it waits.';
comment on column aisle.parked_events.skipped_by   is 'Who had it skipped.';
