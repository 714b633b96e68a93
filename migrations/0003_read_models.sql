-- Tables derived from the log by the subscriptions `shows` and `orders`. They lag by milliseconds, decide nothing,
-- and can be thrown away and rebuilt.

create table aisle.shows (
  tenant            integer     not null,
  show_id           text        not null,
  title             text        not null,
  starts_at         timestamptz not null,
  currency          text        not null,
  tax_rate_bp       integer     not null,
  hold_ttl_seconds  integer     not null,
  seats             integer     not null,
  sections          jsonb       not null,
  scheduled_at      timestamptz not null,
  version           bigint      not null,
  position          bigint      not null,
  primary key (tenant, show_id)
) with (fillfactor = 80);
create index shows_in_order on aisle.shows (tenant, position);
comment on table  aisle.shows                  is 'Every show with its seat plan.';
comment on column aisle.shows.tenant           is 'The tenant.';
comment on column aisle.shows.show_id          is 'The show.';
comment on column aisle.shows.title            is 'What is played.';
comment on column aisle.shows.starts_at        is 'When it starts.';
comment on column aisle.shows.currency         is 'ISO 4217 currency of every price.';
comment on column aisle.shows.tax_rate_bp      is 'Tax contained in the prices, in basis points of the net price.';
comment on column aisle.shows.hold_ttl_seconds is 'How long a hold lasts.';
comment on column aisle.shows.seats            is 'Number of seats.';
comment on column aisle.shows.sections         is 'Sections with price and rows, as scheduled.';
comment on column aisle.shows.scheduled_at     is 'When it went on sale.';
comment on column aisle.shows.version          is 'Version of the show''s stream that these tables reflect.';
comment on column aisle.shows.position         is 'Position of show-scheduled; the order of listing.';

create table aisle.taken_seats (
  tenant    integer not null,
  show_id   text    not null,
  seat      text    not null,
  state     text    not null check (state in ('held', 'booked')),
  hold_id   text    not null,
  primary key (tenant, show_id, seat)
) with (fillfactor = 80);
comment on table  aisle.taken_seats         is 'Seats that somebody has; a seat without a row is free.';
comment on column aisle.taken_seats.tenant  is 'The tenant.';
comment on column aisle.taken_seats.show_id is 'The show.';
comment on column aisle.taken_seats.seat    is 'The seat, row-number.';
comment on column aisle.taken_seats.state   is 'held or booked. A hold past its time stays until somebody notices.';
comment on column aisle.taken_seats.hold_id is 'The hold, or the hold that became the booking.';

create table aisle.holds (
  tenant      integer     not null,
  hold_id     text        not null,
  show_id     text        not null,
  buyer       text        not null,
  seats       text[]      not null,
  amount      bigint      not null,
  currency    text        not null,
  held_at     timestamptz not null,
  expires_at  timestamptz not null,
  status      text        not null check (status in ('held', 'confirmed', 'released', 'expired', 'cancelled')),
  order_id    text,
  position    bigint      not null,
  primary key (tenant, hold_id)
) with (fillfactor = 80);
create index holds_to_expire on aisle.holds (tenant, expires_at) where status = 'held';
comment on table  aisle.holds            is 'Every hold and what became of it.';
comment on column aisle.holds.tenant     is 'The tenant.';
comment on column aisle.holds.hold_id    is 'The hold.';
comment on column aisle.holds.show_id    is 'The show.';
comment on column aisle.holds.buyer      is 'Who holds.';
comment on column aisle.holds.seats      is 'The seats.';
comment on column aisle.holds.amount     is 'Price of all seats in minor units.';
comment on column aisle.holds.currency   is 'ISO 4217 currency of the amount.';
comment on column aisle.holds.held_at    is 'When it began.';
comment on column aisle.holds.expires_at is 'When it ends by itself.';
comment on column aisle.holds.status     is 'held, confirmed, released, expired or cancelled.';
comment on column aisle.holds.order_id   is 'The order that confirmed it.';
comment on column aisle.holds.position   is 'Position of the last event that changed it.';

create table aisle.orders (
  tenant          integer     not null,
  order_id        text        not null,
  show_id         text        not null,
  hold_id         text        not null,
  account_id      text        not null,
  buyer           text        not null,
  lines           jsonb       not null,
  amount          bigint      not null,
  refund          bigint      not null default 0,
  currency        text        not null,
  status          text        not null check (status in ('placed', 'confirmed', 'failed', 'cancelled')),
  reason          text,
  payment_method  text        not null,
  placed_at       timestamptz not null,
  changed_at      timestamptz not null,
  version         bigint      not null,
  position        bigint      not null,
  primary key (tenant, order_id)
) with (fillfactor = 80);
create index orders_in_order on aisle.orders (tenant, position);
create index orders_unfinished on aisle.orders (tenant, changed_at) where status = 'placed';
comment on table  aisle.orders                is 'Every order and what became of it.';
comment on column aisle.orders.tenant         is 'The tenant.';
comment on column aisle.orders.order_id       is 'The order.';
comment on column aisle.orders.show_id        is 'The show.';
comment on column aisle.orders.hold_id        is 'The hold that it turns into a booking.';
comment on column aisle.orders.account_id     is 'Who is billed.';
comment on column aisle.orders.buyer          is 'Who holds the seats.';
comment on column aisle.orders.lines          is 'Seat, amount and tax rate of each line.';
comment on column aisle.orders.amount         is 'Total in minor units, tax included.';
comment on column aisle.orders.refund         is 'What was refunded, in minor units.';
comment on column aisle.orders.currency       is 'ISO 4217 currency of the amounts.';
comment on column aisle.orders.status         is 'placed, confirmed, failed or cancelled.';
comment on column aisle.orders.reason         is 'Why it failed.';
comment on column aisle.orders.payment_method is 'How it is paid.';
comment on column aisle.orders.placed_at      is 'When it was placed.';
comment on column aisle.orders.changed_at     is 'When its last event occurred.';
comment on column aisle.orders.version        is 'Version of the order''s stream; its ETag.';
comment on column aisle.orders.position       is 'Position of order-placed; the order of listing.';
