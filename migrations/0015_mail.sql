-- Buyers can be told by mail, besides whoever is told by webhook. No addresses here either: they are looked up when a message
-- is sent.

alter table aisle.notifications
  add column channel text not null default 'webhook' check (channel in ('webhook', 'email'));
comment on column aisle.notifications.channel is 'How it is told: webhook or email.';
