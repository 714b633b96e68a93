-- Waiting rooms: who may shop for a show that is much wanted, and in which order the others are let in. They decide on
-- nobody's seat: that is the show's stream's affair.
--
-- Everybody draws a ticket: 1, 2, 3 …, in each show. Who came before the room opens gets a new one then, by lot. A room
-- knows up to which ticket nobody waits any more, so a place in line is a subtraction and never a count. Who is let in, and
-- how many at most, is decided under the lock of the room's row; looking at a place takes no lock.

create table aisle.waiting_rooms (
  tenant             integer     not null,
  show_id            text        not null,
  is_open            boolean     not null default true,
  shoppers           integer     not null,
  admission_seconds  integer     not null,
  absence_seconds    integer     not null,
  capacity           integer     not null,
  opens_at           timestamptz,
  is_drawn           boolean     not null default true,
  signing_key        bytea       not null,
  tickets            bigint      not null default 0,
  called             bigint      not null default 0,
  waiting            integer     not null default 0,
  admissions         bigint      not null default 0,
  swept_at           timestamptz not null default now(),
  pace_since         timestamptz not null default now(),
  pace_ends          integer     not null default 0,
  before_ms          bigint      not null default 0,
  before_ends        integer     not null default 0,
  primary key (tenant, show_id)
);
comment on table  aisle.waiting_rooms                   is 'One row a show that has, or had, a waiting room. Its lock orders everything that changes who is in.';
comment on column aisle.waiting_rooms.tenant            is 'The tenant.';
comment on column aisle.waiting_rooms.show_id           is 'The show.';
comment on column aisle.waiting_rooms.is_open           is 'Whether holding seats needs an admission.';
comment on column aisle.waiting_rooms.shoppers          is 'Most admissions at once.';
comment on column aisle.waiting_rooms.admission_seconds is 'How long an admission lasts from when its buyer has seen it.';
comment on column aisle.waiting_rooms.absence_seconds   is 'Who does not ask for so long is passed over, and does not get in unseen.';
comment on column aisle.waiting_rooms.capacity          is 'Most places in line; more are refused.';
comment on column aisle.waiting_rooms.opens_at          is 'Nobody is let in before; null: at once.';
comment on column aisle.waiting_rooms.is_drawn          is 'Whether those who came before it opens have been given their order by lot; true if it opened at once.';
comment on column aisle.waiting_rooms.signing_key       is 'What admissions are signed with, the same for all processes.';
comment on column aisle.waiting_rooms.tickets           is 'The last ticket that was drawn.';
comment on column aisle.waiting_rooms.called            is 'Nobody waits with this ticket or an earlier one.';
comment on column aisle.waiting_rooms.waiting           is 'How many wait.';
comment on column aisle.waiting_rooms.admissions        is 'How many have been let in since there is the room.';
comment on column aisle.waiting_rooms.swept_at          is 'When those who do not ask any more were last looked for in the whole line.';
comment on column aisle.waiting_rooms.pace_since        is 'Since when ends of admissions have been counted.';
comment on column aisle.waiting_rooms.pace_ends         is 'How many admissions have ended since, while somebody waited.';
comment on column aisle.waiting_rooms.before_ms         is 'Length of the count before this one, in milliseconds; 0 if there is none.';
comment on column aisle.waiting_rooms.before_ends       is 'How many ended in it.';

create table aisle.waiting_places (
  tenant       integer     not null,
  place_id     text        not null,
  show_id      text        not null,
  buyer        text        not null,
  ticket       bigint      not null,
  status       text        not null,
  joined_at    timestamptz not null,
  seen_at      timestamptz not null,
  admitted_at  timestamptz,
  claimed_at   timestamptz,
  expires_at   timestamptz,
  ended_at     timestamptz,
  primary key (tenant, place_id),
  check (status in ('waiting', 'admitted', 'done', 'expired', 'lapsed', 'left', 'closed'))
)
-- Room for rows that only say when they were last seen: those stay on their page and touch no index.
with (fillfactor = 70);
create unique index waiting_places_of_buyers on aisle.waiting_places (tenant, show_id, buyer) where ended_at is null;
create unique index waiting_places_in_line on aisle.waiting_places (tenant, show_id, ticket) where status = 'waiting';
create index waiting_places_admitted on aisle.waiting_places (tenant, show_id) where status = 'admitted';
create index waiting_places_ended on aisle.waiting_places (tenant, show_id, ended_at) where ended_at is not null;
comment on table  aisle.waiting_places             is 'One row a place in a waiting room; kept for a day after its end.';
comment on column aisle.waiting_places.tenant      is 'The tenant.';
comment on column aisle.waiting_places.place_id    is 'The place; it names its show.';
comment on column aisle.waiting_places.show_id     is 'The show.';
comment on column aisle.waiting_places.buyer       is 'Stands for the buyer: a keyed hash of the name, which is not stored.';
comment on column aisle.waiting_places.ticket      is 'Its number in line. Lower ones go first; a lot at the opening gives new ones.';
comment on column aisle.waiting_places.status      is 'waiting; admitted; done (an order was confirmed), expired, lapsed (passed over), left, or closed with the room.';
comment on column aisle.waiting_places.joined_at   is 'When the ticket was drawn.';
comment on column aisle.waiting_places.seen_at     is 'When its buyer last asked; up to a quarter of the room''s absence_seconds older than that.';
comment on column aisle.waiting_places.admitted_at is 'When it was admitted.';
comment on column aisle.waiting_places.claimed_at  is 'When its buyer first saw that; an admission that nobody sees ends after absence_seconds.';
comment on column aisle.waiting_places.expires_at  is 'Until when the admission is good.';
comment on column aisle.waiting_places.ended_at    is 'When it ended; null while it waits or is admitted.';

-- These tables are asked while they are young and have no statistics. The plan of choice then reads all that wait to find
-- one. So each statement below can use one index only (a partial one is out of the question where its condition is not
-- named), and rows are changed one by one, by their key. Whoever has the room's lock is the only one who changes a status,
-- so a status that was read under it needs no second look.

create function aisle.admit_waiting(for_tenant integer, for_show text)
returns integer
language plpgsql
set enable_seqscan = off
as $$
declare
  room      aisle.waiting_rooms%rowtype;
  at        timestamptz;
  absence   interval;
  free      bigint;
  ended     integer;
  lapsed    integer := 0;
  passed    integer := 0;
  admitted  integer := 0;
  restarts  boolean;
  place     record;
begin
  -- The lock in a statement of its own: whatever looks after it sees what its last holder has done.
  select * into room
  from aisle.waiting_rooms r
  where r.tenant = for_tenant and r.show_id = for_show and r.is_open
  for update;
  if not found then
    return 0;
  end if;
  at := clock_timestamp();
  absence := make_interval(secs => room.absence_seconds);

  -- 1. Admissions whose time is over.
  update aisle.waiting_places p
  set status = 'expired', ended_at = at
  where p.tenant = for_tenant and p.show_id = for_show and p.status = 'admitted' and p.expires_at <= at;
  get diagnostics ended = row_count;

  -- 2. Now and then, everybody in line who has not asked for too long: they take up the room's capacity.
  if room.swept_at <= at - absence / 2 then
    update aisle.waiting_places p
    set status = 'lapsed', ended_at = at
    where p.tenant = for_tenant and p.show_id = for_show and p.status = 'waiting' and p.seen_at < at - absence;
    get diagnostics lapsed = row_count;
    delete from aisle.waiting_places p
    where p.tenant = for_tenant and p.show_id = for_show and p.ended_at < at - interval '1 day';
    room.swept_at := at;
  end if;

  -- 3. When the room opens, lots are drawn among those who came before: to be there long before gives no advantage.
  if not room.is_drawn and room.opens_at <= at then
    for place in
      select p.place_id
      from aisle.waiting_places p
      where p.tenant = for_tenant and p.show_id = for_show and p.status = 'waiting'
      order by gen_random_uuid()
    loop
      room.tickets := room.tickets + 1;
      update aisle.waiting_places p
      set ticket = room.tickets
      where p.tenant = for_tenant and p.place_id = place.place_id;
    end loop;
    room.is_drawn := true;
  end if;

  -- 4. As many as there is room for, by their tickets; who is not there is passed over. So many absent ones are looked
  -- at in one go; the next one goes on behind them.
  select greatest(0, room.shoppers - count(*)) into free
  from aisle.waiting_places p
  where p.tenant = for_tenant and p.show_id = for_show and p.status = 'admitted';
  if free > 0 and room.waiting > 0 and room.is_drawn then
    for place in
      select p.place_id, p.seen_at >= at - absence as is_there
      from aisle.waiting_places p
      where p.tenant = for_tenant and p.show_id = for_show and p.status = 'waiting'
      order by p.ticket
      limit free + 1000
    loop
      exit when free = 0;
      if place.is_there then
        update aisle.waiting_places p
        set status = 'admitted', admitted_at = at, expires_at = at + absence
        where p.tenant = for_tenant and p.place_id = place.place_id;
        admitted := admitted + 1;
        free := free - 1;
      else
        update aisle.waiting_places p
        set status = 'lapsed', ended_at = at
        where p.tenant = for_tenant and p.place_id = place.place_id;
        passed := passed + 1;
      end if;
    end loop;
  end if;

  -- 5. What the room says of itself. How fast admissions end tells how fast the line moves, but only while there is one.
  room.waiting := room.waiting - lapsed - passed - admitted;
  restarts := room.waiting = 0 or room.pace_since <= at - interval '1 minute';
  update aisle.waiting_rooms r
  set waiting = room.waiting,
      admissions = r.admissions + admitted,
      tickets = room.tickets,
      is_drawn = room.is_drawn,
      swept_at = room.swept_at,
      called = coalesce(
        (
          select min(p.ticket) - 1
          from aisle.waiting_places p
          where p.tenant = for_tenant and p.show_id = for_show and p.status = 'waiting'
        ), room.tickets),
      before_ms = case
        when room.waiting = 0 then 0
        when restarts then (extract(epoch from at - room.pace_since) * 1000)::bigint
        else room.before_ms
      end,
      before_ends = case when room.waiting = 0 then 0 when restarts then room.pace_ends + ended else room.before_ends end,
      pace_since = case when restarts then at else room.pace_since end,
      pace_ends = case when restarts then 0 else room.pace_ends + ended end
  where r.tenant = for_tenant and r.show_id = for_show;
  return admitted;
end
$$;
comment on function aisle.admit_waiting is 'Ends what is over in a waiting room and lets in whom there is room for; answers how many. The only place where anybody is let in.';

create function aisle.join_waiting_room(for_tenant integer, for_show text, places text[], buyers text[])
returns text[]
language plpgsql
set enable_seqscan = off
as $$
declare
  room      aisle.waiting_rooms%rowtype;
  outcomes  text[] := '{}';
  outcome   text;
  present   text;
  at        timestamptz;
begin
  select * into room
  from aisle.waiting_rooms r
  where r.tenant = for_tenant and r.show_id = for_show and r.is_open
  for update;
  if not found then
    return null;
  end if;
  at := clock_timestamp();
  for i in 1 .. cardinality(places) loop
    select p.buyer into present
    from aisle.waiting_places p
    where p.tenant = for_tenant and p.place_id = places[i];
    if found then
      outcome := case when present = buyers[i] then 'known' else 'reused' end;
    elsif exists (
      select from aisle.waiting_places p
      where p.tenant = for_tenant and p.show_id = for_show and p.buyer = buyers[i] and p.ended_at is null
    ) then
      outcome := 'present';
    elsif room.waiting >= room.capacity then
      outcome := 'full';
    else
      room.tickets := room.tickets + 1;
      room.waiting := room.waiting + 1;
      insert into aisle.waiting_places (tenant, place_id, show_id, buyer, ticket, status, joined_at, seen_at)
      values (for_tenant, places[i], for_show, buyers[i], room.tickets, 'waiting', at, at);
      outcome := 'joined';
    end if;
    outcomes := outcomes || outcome;
  end loop;
  update aisle.waiting_rooms r
  set tickets = room.tickets, waiting = room.waiting
  where r.tenant = for_tenant and r.show_id = for_show;
  perform aisle.admit_waiting(for_tenant, for_show);
  return outcomes;
end
$$;
comment on function aisle.join_waiting_room is 'Draws tickets for some buyers: joined, known (the same again), reused (the id is somebody else''s), present (the buyer has another place) or full; null without an open room.';

create function aisle.end_waiting_places(for_tenant integer, for_show text, leaving text[], served text[])
returns integer
language plpgsql
set enable_seqscan = off
as $$
declare
  at     timestamptz;
  name   text;
  place  record;
  out    integer := 0;
  off    integer := 0;
begin
  perform
  from aisle.waiting_rooms r
  where r.tenant = for_tenant and r.show_id = for_show and r.is_open
  for update;
  if not found then
    return 0;
  end if;
  at := clock_timestamp();
  foreach name in array leaving loop
    select p.show_id, p.status into place
    from aisle.waiting_places p
    where p.tenant = for_tenant and p.place_id = name;
    continue when not found or place.show_id <> for_show or place.status not in ('waiting', 'admitted');
    update aisle.waiting_places p
    set status = 'left', ended_at = at
    where p.tenant = for_tenant and p.place_id = name;
    if place.status = 'admitted' then
      out := out + 1;
    else
      off := off + 1;
    end if;
  end loop;
  foreach name in array served loop
    select p.place_id, p.status into place
    from aisle.waiting_places p
    where p.tenant = for_tenant and p.show_id = for_show and p.buyer = name and p.ended_at is null;
    continue when not found or place.status <> 'admitted';
    update aisle.waiting_places p
    set status = 'done', ended_at = at
    where p.tenant = for_tenant and p.place_id = place.place_id;
    out := out + 1;
  end loop;
  update aisle.waiting_rooms r
  set waiting = r.waiting - off, pace_ends = r.pace_ends + out
  where r.tenant = for_tenant and r.show_id = for_show;
  perform aisle.admit_waiting(for_tenant, for_show);
  return out + off;
end
$$;
comment on function aisle.end_waiting_places is 'Ends the places of those who leave, and the admissions of buyers whose order was confirmed, and lets others in.';

create function aisle.look_at_waiting_places(for_tenant integer, for_show text, places text[])
returns table (
  place_id text, buyer text, ticket bigint, status text, joined_at timestamptz, claimed_at timestamptz, expires_at timestamptz,
  ended_at timestamptz, opens_at timestamptz, called bigint, pace_ends bigint, pace_ms bigint)
language plpgsql
set enable_seqscan = off
as $$
declare
  room   aisle.waiting_rooms%rowtype;
  place  aisle.waiting_places%rowtype;
  at     timestamptz := clock_timestamp();
  name   text;
begin
  select * into room
  from aisle.waiting_rooms r
  where r.tenant = for_tenant and r.show_id = for_show;
  if not found then
    return;
  end if;
  opens_at := case when not room.is_drawn then room.opens_at end;
  called := room.called;
  pace_ends := room.before_ends + room.pace_ends;
  pace_ms := room.before_ms + (extract(epoch from at - room.pace_since) * 1000)::bigint;

  foreach name in array places loop
    select * into place
    from aisle.waiting_places p
    where p.tenant = for_tenant and p.place_id = name;
    continue when not found or place.show_id <> for_show;
    if place.status = 'waiting' and place.seen_at < at - make_interval(secs => room.absence_seconds) / 4
      or place.status = 'admitted' and place.claimed_at is null and place.expires_at > at
    then
      -- A row that is being changed is left for the next time: this waits for nobody, so it can be in nobody's way.
      perform
      from aisle.waiting_places p
      where p.tenant = for_tenant and p.place_id = name
      for update skip locked;
      if found then
        update aisle.waiting_places p
        set seen_at = at,
            claimed_at = case when p.status = 'admitted' then at else p.claimed_at end,
            expires_at = case
              when p.status = 'admitted' then at + make_interval(secs => room.admission_seconds)
              else p.expires_at
            end
        where p.tenant = for_tenant and p.place_id = name
        returning * into place;
      end if;
    end if;
    place_id := place.place_id;
    buyer := place.buyer;
    ticket := place.ticket;
    status := place.status;
    joined_at := place.joined_at;
    claimed_at := place.claimed_at;
    expires_at := place.expires_at;
    ended_at := place.ended_at;
    return next;
  end loop;
end
$$;
comment on function aisle.look_at_waiting_places is 'Some places as they stand, each found by its key, and remembers that their buyers have asked. Takes no lock on the room.';

create function aisle.close_waiting_room(for_tenant integer, for_show text)
returns void
language plpgsql
set enable_seqscan = off
as $$
begin
  perform
  from aisle.waiting_rooms r
  where r.tenant = for_tenant and r.show_id = for_show and r.is_open
  for update;
  if not found then
    return;
  end if;
  update aisle.waiting_places p
  set status = 'closed', ended_at = clock_timestamp()
  where p.tenant = for_tenant and p.show_id = for_show and p.ended_at is null;
  update aisle.waiting_rooms r
  set is_open = false, waiting = 0, called = r.tickets, before_ms = 0, before_ends = 0, pace_ends = 0
  where r.tenant = for_tenant and r.show_id = for_show;
end
$$;
comment on function aisle.close_waiting_room is 'Ends every place of a waiting room; from then on nobody needs an admission.';

select aisle.protect();
