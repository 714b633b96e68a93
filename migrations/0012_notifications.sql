-- What buyers are to be told by webhook. No names: they are looked up when a message is sent.

create table aisle.notifications (
  tenant      integer     not null,
  message_id  uuid        not null,
  position    bigint      not null,
  type        text        not null,
  order_id    text        not null,
  due_at      timestamptz not null,
  attempts    integer     not null default 0,
  sent_at     timestamptz,
  dead_at     timestamptz,
  last_error  text,
  primary key (tenant, message_id)
);
create index notifications_due on aisle.notifications (tenant, due_at) where sent_at is null and dead_at is null;
create index notifications_in_order on aisle.notifications (tenant, position);
comment on table  aisle.notifications            is 'The outbox: one row for each event that somebody is told of, written once in the transaction of the checkpoint.';
comment on column aisle.notifications.tenant     is 'The tenant.';
comment on column aisle.notifications.message_id is 'The event''s id, and the message''s: the same in every try.';
comment on column aisle.notifications.position   is 'Position of the event.';
comment on column aisle.notifications.type       is 'Its type, such as order-confirmed.';
comment on column aisle.notifications.order_id   is 'The order that it is about.';
comment on column aisle.notifications.due_at     is 'When it is tried next.';
comment on column aisle.notifications.attempts   is 'How often it was tried.';
comment on column aisle.notifications.sent_at    is 'When it was acknowledged.';
comment on column aisle.notifications.dead_at    is 'When it was given up; an operator may have it tried again.';
comment on column aisle.notifications.last_error is 'What the last try that failed met.';

select aisle.protect();
