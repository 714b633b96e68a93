-- Months that close. A `month-closed` in an account's stream freezes the account's bill in one currency; what is ordered or
-- cancelled later for that month goes to the account's next open month, as an adjustment that names the invoice it corrects.
--
-- Closings are found by the tags of their events, so the log gets no index for them and no event is read that is not one:
-- `month-closed:<account>` leads to the closings of an account, `closed-bill:<month>:<currency>:<account>` to that of a bill,
-- `closed-month:<month>` to when a month was closed for the first time. The release before this one closes nothing; as long as nothing is closed, both compute the same lines.

alter table aisle.billing_lines add column service_month text collate "C";
alter table aisle.billing_lines add column corrects text;
comment on column aisle.billing_lines.service_month is 'Of an adjustment: the month that it belongs to by its instant, and that was closed. Null for every other line.';
comment on column aisle.billing_lines.corrects is 'Of an adjustment: number of the invoice that closed the service month.';

-- Accounts whose bill of a month could not be closed, until it could.
create table aisle.billing_parked (
  tenant      integer     not null,
  month       text        not null collate "C",
  account_id  text        not null,
  currency    text        not null,
  code        text        not null,
  message     text        not null,
  attempts    integer     not null default 1,
  parked_at   timestamptz not null,
  tried_at    timestamptz not null,
  primary key (tenant, month, account_id, currency)
);
comment on table  aisle.billing_parked            is 'Bills that could not be closed when it was tried, and why. The one that is closed at last leaves no row.';
comment on column aisle.billing_parked.tenant     is 'The tenant.';
comment on column aisle.billing_parked.month      is 'YYYY-MM, the month of the bill.';
comment on column aisle.billing_parked.account_id is 'The account.';
comment on column aisle.billing_parked.currency   is 'ISO 4217 currency of the bill.';
comment on column aisle.billing_parked.code       is 'Stable name of the reason, such as amount-refused.';
comment on column aisle.billing_parked.message    is 'The reason in words.';
comment on column aisle.billing_parked.attempts   is 'How often it was tried.';
comment on column aisle.billing_parked.parked_at  is 'When it failed first.';
comment on column aisle.billing_parked.tried_at   is 'When it failed last.';

create function aisle.month_closings(for_tenant integer, for_accounts text[])
returns table (
  account_id text, month text, currency text, invoice_number text, through_position bigint, "position" bigint)
language sql stable parallel safe
as $$
  select c.account_id, c.month collate "C", c.currency, c.invoice_number, c.through_position, e.position
  from aisle.event_tags t
  join aisle.events e on e.tenant = t.tenant and e.position = t.position
  cross join lateral jsonb_to_record(e.data) as c (
    account_id text, month text, currency text, invoice_number text, through_position bigint)
  where t.tenant = for_tenant and t.type = 'month-closed'
    and t.tag = any (array(select 'month-closed:' || a from unnest(for_accounts) a))
$$;
comment on function aisle.month_closings is 'Which bills of some accounts the log closes.';

create function aisle.bill_closing(for_tenant integer, for_account text, for_month text, for_currency text, as_of bigint)
returns table (invoice_number text, through_position bigint, digest text)
language sql stable parallel safe
as $$
  select e.data ->> 'invoice_number', (e.data ->> 'through_position')::bigint, e.data ->> 'digest'
  from aisle.event_tags t
  join aisle.events e on e.tenant = t.tenant and e.position = t.position
  where t.tenant = for_tenant and t.tag = 'closed-bill:' || for_month || ':' || for_currency || ':' || for_account
    and t.type = 'month-closed' and t.position <= as_of
$$;
comment on function aisle.bill_closing is 'How the log closes a bill up to a position; no row while it is open.';

-- By position, how far months are closed for whoever is ahead: after positions[i], nothing is closed yet of a month beyond
-- months[i], and nothing of it happens on or after days[i], by whatever clock. What is not before that is not late.
create function aisle.first_closings(for_tenant integer, out positions bigint[], out months text[], out days text[])
language sql stable parallel safe
as $$
  with recursive first (tag, "position") as (
    (select t.tag, t.position
     from aisle.event_tags t
     where t.tenant = for_tenant and t.tag > 'closed-month:' and t.tag < 'closed-month;'
     order by t.tag, t.position
     limit 1)
    union all
    -- From the first closing of a month to that of the next month, past all the others.
    select n.tag, n.position
    from first f
    cross join lateral (
      select t.tag, t.position
      from aisle.event_tags t
      where t.tenant = for_tenant and t.tag > f.tag and t.tag < 'closed-month;'
      order by t.tag, t.position
      limit 1
    ) n
  ),
  ahead as (
    select f.position, max(substr(f.tag, length('closed-month:') + 1)) over (order by f.position) as month
    from first f
  )
  select array_agg(a.position order by a.position), array_agg(a.month order by a.position),
         array_agg(case
             when a.month < '9999-12' then to_char((a.month || '-01')::date + interval '1 month 2 days', 'YYYY-MM-DD')
             else '9999-99'
           end order by a.position)
  from ahead a
$$;
comment on function aisle.first_closings is 'Which months are closed for the account that is ahead of all, by the position from which on.';

-- Of an event of a month that may be closed: the first month from there on that is not closed for it, and the number of the
-- invoice that closed its own month. Null if that is open.
create function aisle.adjusted_bill(for_tenant integer, for_account text, currency text, month text, "position" bigint)
returns text[]
language plpgsql stable parallel safe
as $$
declare
  months   text[];
  numbers  text[];
begin
  select array_agg(c.month order by c.month), array_agg(c.invoice_number order by c.month)
  into months, numbers
  from aisle.month_closings(for_tenant, array[for_account]) c
  where c.currency = adjusted_bill.currency and c.month >= adjusted_bill.month
    and c.through_position < adjusted_bill.position;
  if months[1] is distinct from month then
    return null;
  end if;
  for i in 1..cardinality(months) loop
    exit when months[i] is distinct from month;
    month := to_char((month || '-01')::date + interval '1 month', 'YYYY-MM');
  end loop;
  return array[month, numbers[1]];
end
$$;
comment on function aisle.adjusted_bill is 'Month of the bill that an event is on because its own was closed before, and the invoice it corrects; null for others.';

-- Every line of the months from_month…to_month, computed from the log up to the position as_of; of one account, or of all
-- if for_account is null. Nothing here reads what the subscription wrote. Refunds of single seats are what is given back: a
-- fee stays charged.
create function aisle.bill_lines(
  for_tenant integer, for_account text, from_month text, to_month text, as_of bigint)
returns table (
  account_id text, month text, currency text, "position" bigint, line_no bigint, kind text, order_id text,
  show_id text, seat text, amount bigint, tax bigint, tax_rate_bp integer, occurred_at timestamptz, service_month text,
  corrects text)
language sql stable parallel safe
as $$
  with zones as (
    -- From its opening, or from moving into a zone, to its next move an account is in one zone; before the first it is in UTC.
    select a.account_id, a.time_zone, a.position as after_position,
           lead(a.position, 1, as_of + 1) over (partition by a.account_id order by a.position) as before_position
    from aisle.account_zones a
    where a.tenant = for_tenant and a.position <= as_of
      and (for_account is null or a.account_id = for_account)
  ),
  first as materialized (
    select f.positions, f.months, f.days
    from aisle.first_closings(for_tenant) f
  )
  select o.account_id, coalesce(a.bill[1], o.local_month), o.currency, o.position, l.line_no,
         case o.type when 'order-confirmed' then 'charge' else 'refund' end,
         o.order_id, o.show_id, l.seat, l.amount, aisle.tax_included(l.amount, l.tax_rate_bp), l.tax_rate_bp, o.occurred_at,
         case when a.bill is not null then o.local_month end, a.bill[2]
  from (
    select e.position, e.type, o.account_id, o.order_id, o.show_id, o.occurred_at, o.lines,
           coalesce(o.total, o.refund) ->> 'currency' as currency,
           to_char(o.occurred_at at time zone coalesce(z.time_zone, 'UTC'), 'YYYY-MM') as local_month
    from aisle.events e
    cross join lateral jsonb_to_record(e.data) as o (
      account_id text, order_id text, show_id text, occurred_at timestamptz, total jsonb, refund jsonb, lines jsonb)
    left join zones z
      on z.account_id = o.account_id and e.position > z.after_position and e.position < z.before_position
    where e.tenant = for_tenant and e.category = 'order' and e.position <= as_of
      and e.type in ('order-confirmed', 'order-seats-cancelled', 'order-cancelled')
      and (for_account is null or e.data ->> 'account_id' = for_account)
      -- A wall clock is less than a day from UTC: what begins with a day outside of this window is in another month
      -- in every zone, and is passed over after a look at one text; unless it may have come after its month was closed.
      and (e.data ->> 'occurred_at') collate "C" <=
            (select case when to_month < '9999-12' then to_char(
                      (greatest(to_month, '0001-02') || '-01')::date + interval '1 month 2 days', 'YYYY-MM-DD') else '9999-99' end)
      and ((e.data ->> 'occurred_at') collate "C" >=
             (select to_char((greatest(from_month, '0001-02') || '-01')::date - 2, 'YYYY-MM-DD'))
           or (e.data ->> 'occurred_at') collate "C" <=
                ((select f.days from first f)[width_bucket(e.position, (select f.positions from first f))]))
  ) o
  cross join lateral (
    select case
        when o.local_month <= (select f.months from first f)[width_bucket(o.position, (select f.positions from first f))]
        then aisle.adjusted_bill(for_tenant, o.account_id, o.currency, o.local_month, o.position)
      end as bill
    -- Once for each event, not once for each place that it is named in.
    offset 0
  ) a
  cross join lateral rows from (
    jsonb_to_recordset(o.lines) as (seat text, amount bigint, tax_rate_bp integer)
  ) with ordinality l (seat, amount, tax_rate_bp, line_no)
  where coalesce(a.bill[1], o.local_month) between from_month and to_month
$$;
comment on function aisle.bill_lines is 'The lines of some months with their adjustments, computed from the log alone as of a position.';

-- The same without what is new, as the release before this one calls it. It goes with the next release.
create or replace function aisle.billed_lines(
  for_tenant integer, for_account text, from_month text, to_month text, as_of bigint)
returns table (
  account_id text, month text, currency text, "position" bigint, line_no bigint, kind text, order_id text,
  show_id text, seat text, amount bigint, tax bigint, occurred_at timestamptz)
language sql stable parallel safe
as $$
  select l.account_id, l.month, l.currency, l.position, l.line_no, l.kind, l.order_id, l.show_id, l.seat, l.amount, l.tax,
         l.occurred_at
  from aisle.bill_lines(for_tenant, for_account, from_month, to_month, as_of) l
$$;

-- One bill that adds up to more than a bigint is no reason to give no bill at all.
create function aisle.minor_units(amount numeric)
returns bigint
language sql immutable parallel safe
as $$
  select case when amount between -9223372036854775808 and 9223372036854775807 then amount::bigint end
$$;
comment on function aisle.minor_units is 'A sum of amounts; null if it is beyond 64 bits.';

-- The chain knows adjustments: two more fields at the end of their lines. Other lines are what they were, so every digest of
-- before stays the same.
create function aisle.line_chain_add(
  digest bytea, "position" bigint, line_no bigint, kind text, order_id text, show_id text, seat text,
  amount bigint, tax bigint, currency text, occurred_at timestamptz, service_month text, corrects text)
returns bytea
language plpgsql immutable parallel safe
as $$
begin
  return sha256(digest || convert_to(
    "position" || '|' || line_no || '|' || kind || '|' || order_id || '|' || show_id || '|' || seat || '|'
      || amount || '|' || tax || '|' || currency || '|' || (extract(epoch from occurred_at) * 1000000)::bigint
      || coalesce('|' || service_month || '|' || corrects, ''),
    'UTF8'));
end
$$;
comment on function aisle.line_chain_add(
  bytea, bigint, bigint, text, text, text, text, bigint, bigint, text, timestamptz, text, text)
  is 'One link of aisle.line_chain.';

create aggregate aisle.line_chain(
  bigint, bigint, text, text, text, text, bigint, bigint, text, timestamptz, text, text) (
  sfunc = aisle.line_chain_add, stype = bytea, initcond = ''
);
comment on aggregate aisle.line_chain(
  bigint, bigint, text, text, text, text, bigint, bigint, text, timestamptz, text, text)
  is 'Digest of a bill: the chain over its lines, to be called with order by position, line_no.';

select aisle.protect();
