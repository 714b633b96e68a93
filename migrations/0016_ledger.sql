-- The general ledger as the log has it: what charges and refunds post, and money itself.

create function aisle.ledger_postings(for_tenant integer, as_of bigint)
returns table ("position" bigint, occurred_at timestamptz, currency text, ledger_account text, amount bigint)
language sql stable parallel safe
as $$
  -- Charges, refunds and credit notes say what they post.
  select e.position, coalesce(d.occurred_at, d.issued_at), d.currency, p.ledger_account, p.amount
  from aisle.events e
  cross join lateral jsonb_to_record(e.data) as d (
    currency text, occurred_at timestamptz, issued_at timestamptz, postings jsonb)
  cross join lateral jsonb_to_recordset(d.postings) as p (ledger_account text, amount bigint)
  where e.tenant = for_tenant and e.category = 'account' and e.position <= as_of and d.postings is not null
  union all
  -- Of a cancelled seat's price the fee stays revenue from then on for another reason; its tax stays where it is.
  select e.position, d.occurred_at, f.currency, p.ledger_account, p.sign * (f.amount - aisle.tax_included(f.amount, r.tax_rate_bp))
  from aisle.events e
  cross join lateral jsonb_to_record(e.data) as d (occurred_at timestamptz, fee jsonb, lines jsonb)
  cross join lateral jsonb_to_record(d.fee) as f (amount bigint, currency text)
  cross join lateral jsonb_to_record(d.lines -> 0) as r (tax_rate_bp integer)
  cross join (values ('revenue', 1), ('fees', -1)) p (ledger_account, sign)
  where e.tenant = for_tenant and e.category = 'order' and e.position <= as_of
    and e.type in ('order-cancelled', 'order-seats-cancelled') and f.amount > 0
  union all
  -- Money that a provider has, is to give back, and has given back.
  select e.position, coalesce(d.received_at, d.requested_at, d.settled_at), m.currency, p.ledger_account, p.sign * m.amount
  from aisle.events e
  cross join lateral jsonb_to_record(e.data) as d (
    amount jsonb, received_at timestamptz, requested_at timestamptz, settled_at timestamptz)
  cross join lateral jsonb_to_record(d.amount) as m (amount bigint, currency text)
  join (values ('payment-received', 'cash', 1), ('payment-received', 'receivable', -1),
               ('refund-requested', 'receivable', 1), ('refund-requested', 'refunds_payable', -1),
               ('refund-settled', 'refunds_payable', 1), ('refund-settled', 'cash', -1)) p (type, ledger_account, sign)
    on p.type = e.type
  where e.tenant = for_tenant and e.category = 'order' and e.position <= as_of
    and e.type in ('payment-received', 'refund-requested', 'refund-settled')
$$;
comment on function aisle.ledger_postings is 'Every posting up to a position: debits are positive, credits negative, and those of one position add up to zero.';

select aisle.protect();
