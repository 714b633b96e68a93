-- Payments through a provider: what its webhooks have told, and the tables of the sandbox, a provider for trying out.
-- Bills know of orders of which some seats were cancelled.

-- An order may wait for its payment. The release before knows nothing of it, and its subscription never writes it.
alter table aisle.orders drop constraint orders_status_check;
alter table aisle.orders add constraint orders_status_check
  check (status in ('placed', 'payment-pending', 'confirmed', 'failed', 'cancelled'));
alter table aisle.orders add column payment_open boolean not null default false;
create index orders_unpaid on aisle.orders (tenant, changed_at) where payment_open;
comment on column aisle.orders.payment_open is 'Whether a provider was asked and has not said yet whether it has the money, whatever became of the order.';
comment on column aisle.orders.status is 'placed, payment-pending, confirmed, failed or cancelled.';

create table aisle.payment_notices (
  tenant       integer     not null,
  provider     text        not null,
  notice_id    text        not null,
  type         text        not null,
  received_at  timestamptz not null,
  primary key (tenant, provider, notice_id)
);
create index payment_notices_by_age on aisle.payment_notices (tenant, received_at);
comment on table  aisle.payment_notices             is 'Webhooks of payment providers that have taken effect, so that none does twice.';
comment on column aisle.payment_notices.tenant      is 'The tenant.';
comment on column aisle.payment_notices.provider    is 'Who sent it.';
comment on column aisle.payment_notices.notice_id   is 'The provider''s id, the same for every delivery.';
comment on column aisle.payment_notices.type        is 'What it told, such as charge.succeeded.';
comment on column aisle.payment_notices.received_at is 'When it took effect; after 30 days it is forgotten.';

create table aisle.sandbox_charges (
  tenant      integer     not null,
  charge_id   text        not null,
  order_id    text        not null,
  amount      bigint      not null check (amount > 0),
  currency    text        not null,
  card        text        not null,
  settles_at  timestamptz not null,
  created_at  timestamptz not null,
  primary key (tenant, charge_id)
);
comment on table  aisle.sandbox_charges            is 'What the sandbox was asked to charge. No money moves.';
comment on column aisle.sandbox_charges.tenant     is 'The tenant.';
comment on column aisle.sandbox_charges.charge_id  is 'The idempotency key of the request.';
comment on column aisle.sandbox_charges.order_id   is 'The client''s reference, which webhooks repeat.';
comment on column aisle.sandbox_charges.amount     is 'In minor units.';
comment on column aisle.sandbox_charges.currency   is 'ISO 4217 currency of the amount.';
comment on column aisle.sandbox_charges.card       is 'The test card; it decides how the charge ends.';
comment on column aisle.sandbox_charges.settles_at is 'When it ends; before, it is pending.';
comment on column aisle.sandbox_charges.created_at is 'When it was asked for first.';

create table aisle.sandbox_refunds (
  tenant      integer     not null,
  charge_id   text        not null,
  refund_id   text        not null,
  amount      bigint      not null check (amount > 0),
  created_at  timestamptz not null,
  primary key (tenant, charge_id, refund_id)
);
comment on table  aisle.sandbox_refunds            is 'What the sandbox has given back: of a charge never more than was charged.';
comment on column aisle.sandbox_refunds.tenant     is 'The tenant.';
comment on column aisle.sandbox_refunds.charge_id  is 'The charge.';
comment on column aisle.sandbox_refunds.refund_id  is 'The idempotency key of the request.';
comment on column aisle.sandbox_refunds.amount     is 'In minor units of the charge''s currency.';
comment on column aisle.sandbox_refunds.created_at is 'When it was asked for first.';

create table aisle.sandbox_webhooks (
  tenant        integer     not null,
  notice_id     uuid        not null,
  copy          integer     not null,
  ordinal       integer     not null,
  body          text        not null,
  due_at        timestamptz not null,
  attempts      integer     not null default 0,
  delivered_at  timestamptz,
  last_error    text,
  primary key (tenant, notice_id, copy)
);
create index sandbox_webhooks_due on aisle.sandbox_webhooks (tenant, due_at) where delivered_at is null;
comment on table  aisle.sandbox_webhooks              is 'What the sandbox has to tell, and has told.';
comment on column aisle.sandbox_webhooks.tenant       is 'The tenant.';
comment on column aisle.sandbox_webhooks.notice_id    is 'The id of the notice.';
comment on column aisle.sandbox_webhooks.copy         is '1, 2…: a test card may have a notice delivered twice.';
comment on column aisle.sandbox_webhooks.ordinal      is 'The order of delivery among those that are due at the same time.';
comment on column aisle.sandbox_webhooks.body         is 'The JSON document that is posted.';
comment on column aisle.sandbox_webhooks.due_at       is 'When it is tried next.';
comment on column aisle.sandbox_webhooks.attempts     is 'How often it was tried.';
comment on column aisle.sandbox_webhooks.delivered_at is 'When it was acknowledged.';
comment on column aisle.sandbox_webhooks.last_error   is 'What the last try that failed met.';

-- Every line of the months from_month…to_month, as before, and the refunds of single seats. Their lines are what is
-- given back: a fee stays charged.
create or replace function aisle.billed_lines(
  for_tenant integer, for_account text, from_month text, to_month text, as_of bigint)
returns table (
  account_id text, month text, currency text, "position" bigint, line_no bigint, kind text, order_id text,
  show_id text, seat text, amount bigint, tax bigint, occurred_at timestamptz)
language sql stable parallel safe
as $$
  with zones as (
    -- From its opening to its next, an account is in one zone; before the first it is in UTC.
    select a.account_id, a.time_zone, a.opened_position as after_position,
           lead(a.opened_position, 1, as_of + 1)
             over (partition by a.account_id order by a.opened_position) as before_position
    from aisle.accounts a
    where a.tenant = for_tenant and a.opened_position <= as_of
      and (for_account is null or a.account_id = for_account)
  )
  select o.account_id,
         to_char(o.occurred_at at time zone coalesce(z.time_zone, 'UTC'), 'YYYY-MM'),
         coalesce(o.total, o.refund) ->> 'currency',
         e.position, l.line_no,
         case e.type when 'order-confirmed' then 'charge' else 'refund' end,
         o.order_id, o.show_id, l.seat, l.amount, aisle.tax_included(l.amount, l.tax_rate_bp), o.occurred_at
  from aisle.events e
  cross join lateral jsonb_to_record(e.data) as o (
    account_id text, order_id text, show_id text, occurred_at timestamptz, total jsonb, refund jsonb, lines jsonb)
  left join zones z
    on z.account_id = o.account_id and e.position > z.after_position and e.position < z.before_position
  cross join lateral rows from (
    jsonb_to_recordset(o.lines) as (seat text, amount bigint, tax_rate_bp integer)
  ) with ordinality l (seat, amount, tax_rate_bp, line_no)
  where e.tenant = for_tenant and e.category = 'order' and e.position <= as_of
    and e.type in ('order-confirmed', 'order-seats-cancelled', 'order-cancelled')
    and (for_account is null or e.data ->> 'account_id' = for_account)
    -- A wall clock is less than a day from UTC: what begins with a day outside of this window is in another month
    -- in every zone, and is passed over after a look at one text.
    and (e.data ->> 'occurred_at') collate "C" >=
          (select to_char((greatest(from_month, '0001-02') || '-01')::date - 2, 'YYYY-MM-DD'))
    and (e.data ->> 'occurred_at') collate "C" <=
          (select case when to_month < '9999-12' then to_char(
                    (greatest(to_month, '0001-02') || '-01')::date + interval '1 month 2 days', 'YYYY-MM-DD') else '9999-99' end)
    and to_char(o.occurred_at at time zone coalesce(z.time_zone, 'UTC'), 'YYYY-MM') between from_month and to_month
$$;

select aisle.protect();
