-- Whether the pre-aggregated tables were found to be what the log says. A month that was not is answered from the log, until a
-- comparison finds no difference any more. The release before this one does not know it, and answers from the tables.

create table aisle.billing_checks (
  tenant          integer     not null,
  month           text        not null collate "C",
  as_of_position  bigint      not null,
  bills           bigint      not null,
  lines           bigint      not null,
  differences     bigint      not null,
  checked_at      timestamptz not null,
  primary key (tenant, month)
);
comment on table  aisle.billing_checks                is 'The last comparison of each month''s tables with the log.';
comment on column aisle.billing_checks.tenant         is 'The tenant.';
comment on column aisle.billing_checks.month          is 'YYYY-MM.';
comment on column aisle.billing_checks.as_of_position is 'Position of the tables when they were compared.';
comment on column aisle.billing_checks.bills          is 'How many bills the log gave.';
comment on column aisle.billing_checks.lines          is 'How many lines.';
comment on column aisle.billing_checks.differences    is 'How many differences were found; as long as there are any, bills come from the log.';
comment on column aisle.billing_checks.checked_at     is 'When.';

create table aisle.billing_schedule (
  tenant  integer     not null primary key,
  due_at  timestamptz not null
);
comment on table  aisle.billing_schedule        is 'Which process compares next is decided by this row.';
comment on column aisle.billing_schedule.tenant is 'The tenant.';
comment on column aisle.billing_schedule.due_at is 'Not before this instant, by the database''s clock.';

select aisle.protect();
