-- Months that close. A `month-closed` in an account's stream freezes the account's bill in one currency; what is ordered or
-- cancelled later for that month goes to the account's next open month, as an adjustment that names the invoice it corrects.
--
-- Closings are found by the tags of their events, `month-closed` and `month-closed:<account>`, so the log gets no index
-- for them and no event is read that is not one. The release before this one closes nothing; as long as nothing is closed,
-- both compute the same lines.

alter table aisle.billing_lines add column service_month text collate "C";
alter table aisle.billing_lines add column corrects text;
comment on column aisle.billing_lines.service_month is 'Of an adjustment: the month that it belongs to by its instant, and that was closed. Null for every other line.';
comment on column aisle.billing_lines.corrects is 'Of an adjustment: number of the invoice that closed the service month.';

create function aisle.month_closings(for_tenant integer, for_accounts text[], as_of bigint)
returns table (
  account_id text, month text, currency text, invoice_number text, through_position bigint, "position" bigint)
language sql stable parallel safe
as $$
  select c.account_id, c.month collate "C", c.currency, c.invoice_number, c.through_position, e.position
  from aisle.event_tags t
  join aisle.events e on e.tenant = t.tenant and e.position = t.position
  cross join lateral jsonb_to_record(e.data) as c (
    account_id text, month text, currency text, invoice_number text, through_position bigint)
  where t.tenant = for_tenant and t.type = 'month-closed' and t.position <= as_of
    and t.tag = any (case
          when for_accounts is null then array['month-closed']
          else array(select 'month-closed:' || a from unnest(for_accounts) a)
        end)
$$;
comment on function aisle.month_closings is 'Which months of some accounts, or of all if for_accounts is null, the log closes up to a position.';

-- Plain arithmetic: months are ascending, each with the position through which its bill was closed.
create function aisle.open_month(month text, "position" bigint, months text[], through_positions bigint[])
returns text
language plpgsql immutable parallel safe
as $$
begin
  for i in 1..coalesce(cardinality(months), 0) loop
    if months[i] collate "C" > month then
      exit;
    end if;
    if months[i] = month and through_positions[i] < "position" then
      month := to_char((month || '-01')::date + interval '1 month', 'YYYY-MM');
    end if;
  end loop;
  return month;
end
$$;
comment on function aisle.open_month is 'The first month from the given one on that is not closed for an event at a position.';

-- Every line of the months from_month…to_month, computed from the log up to the position as_of; of one account, or of all
-- if for_account is null. Nothing here reads what the subscription wrote. Refunds of single seats are what is given back: a
-- fee stays charged.
create function aisle.bill_lines(
  for_tenant integer, for_account text, from_month text, to_month text, as_of bigint)
returns table (
  account_id text, month text, currency text, "position" bigint, line_no bigint, kind text, order_id text,
  show_id text, seat text, amount bigint, tax bigint, occurred_at timestamptz, service_month text, corrects text)
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
  ),
  closings as materialized (
    select c.*
    from aisle.month_closings(
      for_tenant, case when for_account is not null then array[for_account] end, as_of) c
  ),
  closed as materialized (
    select c.account_id, c.currency, array_agg(c.month order by c.month) as months,
           array_agg(c.through_position order by c.month) as through_positions
    from closings c
    group by c.account_id, c.currency
  ),
  -- Both null as long as nothing is closed.
  first_closed as materialized (
    select min(c.month) as month, min(c.through_position) as through_position
    from closings c
  )
  select o.account_id, b.month, o.currency, o.position, l.line_no,
         case o.type when 'order-confirmed' then 'charge' else 'refund' end,
         o.order_id, o.show_id, l.seat, l.amount, aisle.tax_included(l.amount, l.tax_rate_bp), o.occurred_at,
         case when c.month is not null then o.local_month end, c.invoice_number
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
      -- in every zone, and is passed over after a look at one text.
      and (e.data ->> 'occurred_at') collate "C" <=
            (select case when to_month < '9999-12' then to_char(
                      (greatest(to_month, '0001-02') || '-01')::date + interval '1 month 2 days', 'YYYY-MM-DD') else '9999-99' end)
      and ((e.data ->> 'occurred_at') collate "C" >=
             (select to_char((greatest(from_month, '0001-02') || '-01')::date - 2, 'YYYY-MM-DD'))
           -- What is of an earlier month may be an adjustment, if that month can have been closed by then.
           or (e.position > (select f.through_position from first_closed f)
               and (e.data ->> 'occurred_at') collate "C" >=
                     (select to_char((greatest(f.month, '0001-02') || '-01')::date - 2, 'YYYY-MM-DD') from first_closed f)))
  ) o
  left join closings c
    on c.account_id = o.account_id and c.currency = o.currency and c.month = o.local_month
   and c.through_position < o.position
  left join closed k
    on c.month is not null and k.account_id = o.account_id and k.currency = o.currency
  cross join lateral (
    select case
      when c.month is null then o.local_month
      else aisle.open_month(o.local_month, o.position, k.months, k.through_positions)
    end as month
  ) b
  cross join lateral rows from (
    jsonb_to_recordset(o.lines) as (seat text, amount bigint, tax_rate_bp integer)
  ) with ordinality l (seat, amount, tax_rate_bp, line_no)
  where b.month between from_month and to_month
$$;
comment on function aisle.bill_lines is 'The lines of some months with their adjustments, computed from the log alone as of a position.';

-- The same without what adjustments say, as the release before this one calls it. It goes with the next release.
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
