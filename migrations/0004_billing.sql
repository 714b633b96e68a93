-- Monthly bills, twice: tables that the subscription `billing` fills as orders are confirmed and cancelled, and
-- aisle.billed_lines, which computes the same lines straight from the log. Both must always agree.

create index account_openings on aisle.events (tenant, (data ->> 'account_id'), position)
where type = 'account-opened';

create view aisle.accounts as
select e.tenant, e.data ->> 'account_id' as account_id, e.data ->> 'name' as name,
       e.data ->> 'time_zone' as time_zone, e.position as opened_position,
       (e.data ->> 'opened_at')::timestamptz as opened_at
from aisle.events e
where e.type = 'account-opened';
comment on view   aisle.accounts                 is 'Accounts as the log has them: one row each time one was opened. Never behind.';
comment on column aisle.accounts.tenant          is 'The tenant.';
comment on column aisle.accounts.account_id      is 'The account.';
comment on column aisle.accounts.name            is 'Its name.';
comment on column aisle.accounts.time_zone       is 'IANA name; it decides the months of all that comes after opened_position.';
comment on column aisle.accounts.opened_position is 'Position of account-opened.';
comment on column aisle.accounts.opened_at       is 'When it was opened.';

create table aisle.billing_months (
  tenant          integer not null,
  account_id      text    not null,
  month           text    not null collate "C",
  currency        text    not null,
  gross           bigint  not null,
  tax             bigint  not null,
  refunds         bigint  not null,
  lines           bigint  not null,
  first_position  bigint  not null,
  last_position   bigint  not null,
  digest          bytea   not null,
  primary key (tenant, account_id, month, currency)
) with (fillfactor = 50);
create index billing_months_by_month on aisle.billing_months (tenant, month, account_id, currency);
comment on table  aisle.billing_months                is 'Totals of each bill, pre-aggregated in the transaction that moves the checkpoint.';
comment on column aisle.billing_months.tenant         is 'The tenant.';
comment on column aisle.billing_months.account_id     is 'The account.';
comment on column aisle.billing_months.month          is 'YYYY-MM in the account''s time zone.';
comment on column aisle.billing_months.currency       is 'ISO 4217 currency of the amounts.';
comment on column aisle.billing_months.gross          is 'Charged, tax included, in minor units.';
comment on column aisle.billing_months.tax            is 'Tax in the charges less tax in the refunds.';
comment on column aisle.billing_months.refunds        is 'Refunded, tax included.';
comment on column aisle.billing_months.lines          is 'How many lines, of charges and refunds.';
comment on column aisle.billing_months.first_position is 'Position of the first order event on this bill.';
comment on column aisle.billing_months.last_position  is 'Position of the last; an event up to here is never counted again.';
comment on column aisle.billing_months.digest         is 'aisle.line_chain over the lines in order.';

create table aisle.billing_lines (
  tenant       integer     not null,
  account_id   text        not null,
  month        text        not null collate "C",
  currency     text        not null,
  position     bigint      not null,
  line_no      integer     not null,
  kind         text        not null check (kind in ('charge', 'refund')),
  order_id     text        not null,
  show_id      text        not null,
  seat         text        not null,
  amount       bigint      not null,
  tax          bigint      not null,
  occurred_at  timestamptz not null,
  primary key (tenant, account_id, month, position, line_no)
);
comment on table  aisle.billing_lines             is 'Every line of every bill: one seat charged or refunded.';
comment on column aisle.billing_lines.tenant      is 'The tenant.';
comment on column aisle.billing_lines.account_id  is 'The account.';
comment on column aisle.billing_lines.month       is 'YYYY-MM in the account''s time zone.';
comment on column aisle.billing_lines.currency    is 'ISO 4217 currency of the amounts.';
comment on column aisle.billing_lines.position    is 'Position of the order event that the line comes from.';
comment on column aisle.billing_lines.line_no     is '1, 2, 3 … within that event.';
comment on column aisle.billing_lines.kind        is 'charge or refund.';
comment on column aisle.billing_lines.order_id    is 'The order.';
comment on column aisle.billing_lines.show_id     is 'The show.';
comment on column aisle.billing_lines.seat        is 'The seat.';
comment on column aisle.billing_lines.amount      is 'In minor units, tax included; positive for a refund too.';
comment on column aisle.billing_lines.tax         is 'The part of amount that is tax.';
comment on column aisle.billing_lines.occurred_at is 'The instant that decided the month.';

create table aisle.billing_rebuilds (
  tenant            integer     not null primary key,
  through_position  bigint      not null,
  started_at        timestamptz not null default now()
);
comment on table  aisle.billing_rebuilds                  is 'The last rebuild: below through_position the tables are incomplete.';
comment on column aisle.billing_rebuilds.tenant           is 'The tenant.';
comment on column aisle.billing_rebuilds.through_position is 'Checkpoint when the tables were emptied.';
comment on column aisle.billing_rebuilds.started_at       is 'When they were emptied.';

create view aisle.billing_progress as
select h.tenant, coalesce(c.position, 0) as position, c.last_error,
       coalesce(r.through_position, 0) as rebuild_through,
       coalesce((
         select max(e.position)
         from aisle.events e
         where e.tenant = h.tenant and e.category = 'order'
       ), 0) as last_order
from aisle.log_head h
left join aisle.checkpoints c on c.tenant = h.tenant and c.subscription = 'billing'
left join aisle.billing_rebuilds r on r.tenant = h.tenant;
comment on view   aisle.billing_progress                 is 'How far the tables are, and what is known against them.';
comment on column aisle.billing_progress.tenant          is 'The tenant.';
comment on column aisle.billing_progress.position        is 'Everything up to here is in the tables.';
comment on column aisle.billing_progress.last_error      is 'Why the last try failed; null if it succeeded.';
comment on column aisle.billing_progress.rebuild_through is 'The tables are incomplete until position has reached this.';
comment on column aisle.billing_progress.last_order      is 'Position of the last event of an order.';

-- Tax contained in a gross amount: amount × bp ÷ (10,000 + bp), half to even. amount × bp may not fit into a
-- bigint, so the amount is first divided by 10,000 + bp; what remains is below 20,000.
create function aisle.tax_included(amount bigint, bp integer)
returns bigint
language sql immutable strict parallel safe
as $$
  select t.floor + case
    when 2 * t.remainder > 10000 + bp then 1
    when 2 * t.remainder = 10000 + bp then t.floor % 2
    else 0
  end
  from (
    select amount / (10000 + bp) * bp + amount % (10000 + bp) * bp / (10000 + bp) as floor,
           amount % (10000 + bp) * bp % (10000 + bp) as remainder
  ) t
$$;
comment on function aisle.tax_included is 'Tax in a non-negative gross amount at a rate in basis points, half to even.';

-- Every line of the months from_month…to_month, computed from the log up to the position as_of; of one account, or
-- of all if for_account is null. Nothing here reads what the subscription wrote.
create function aisle.billed_lines(
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
    and e.type in ('order-confirmed', 'order-cancelled')
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
comment on function aisle.billed_lines is 'The lines of some months, computed from the log alone as of a position.';

-- A chain of SHA-256 over the lines of a bill: it names every line and their order, and a new line is added without
-- reading the old ones. d(0) is empty, d(n) = sha256(d(n-1) || line n).
create function aisle.line_chain_add(
  digest bytea, "position" bigint, line_no bigint, kind text, order_id text, show_id text, seat text,
  amount bigint, tax bigint, currency text, occurred_at timestamptz)
returns bytea
language plpgsql immutable parallel safe
as $$
begin
  return sha256(digest || convert_to(
    "position" || '|' || line_no || '|' || kind || '|' || order_id || '|' || show_id || '|' || seat || '|'
      || amount || '|' || tax || '|' || currency || '|' || (extract(epoch from occurred_at) * 1000000)::bigint,
    'UTF8'));
end
$$;
comment on function aisle.line_chain_add is 'One link of aisle.line_chain.';

create aggregate aisle.line_chain(bigint, bigint, text, text, text, text, bigint, bigint, text, timestamptz) (
  sfunc = aisle.line_chain_add, stype = bytea, initcond = ''
);
comment on aggregate aisle.line_chain(bigint, bigint, text, text, text, text, bigint, bigint, text, timestamptz)
  is 'Digest of a bill: the chain over its lines, to be called with order by position, line_no.';
