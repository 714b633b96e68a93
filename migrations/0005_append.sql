-- The log at full strength: `events` is partitioned by position, event ids and tags have tables of their own, and
-- aisle.append_batch takes tags and conditions on tags.
--
-- The release before this one keeps running: it reads `events` as before, and writes through the last function below.

-- 1. Ids. A table of their own, because an index over all partitions has to contain the position, and because a retry
--    is recognised for ever: also when the partition with the event has been archived.

create table aisle.event_ids (
  tenant    integer not null,
  id        uuid    not null,
  position  bigint  not null,
  primary key (tenant, id)
);
comment on table  aisle.event_ids          is 'Where each event id stands in the log; the same id is never stored twice.';
comment on column aisle.event_ids.tenant   is 'The tenant.';
comment on column aisle.event_ids.id       is 'The event''s id, chosen by the writer.';
comment on column aisle.event_ids.position is 'Its position.';

-- Nobody appends until the migration has been committed: what is copied here is complete.
lock table aisle.log_head, aisle.events in exclusive mode;

insert into aisle.event_ids (tenant, id, position)
select e.tenant, e.id, e.position
from aisle.events e;

-- 2. Tags, for conditions that concern more than one stream.

create table aisle.event_tags (
  tenant    integer not null,
  tag       text    not null collate "C",
  position  bigint  not null,
  type      text    not null collate "C",
  primary key (tenant, tag, position)
);
comment on table  aisle.event_tags          is 'The tags of the events: what a decision may depend on, whatever stream it is in.';
comment on column aisle.event_tags.tenant   is 'The tenant.';
comment on column aisle.event_tags.tag      is 'The tag, such as seat:A-1.';
comment on column aisle.event_tags.position is 'Position of the event that has it.';
comment on column aisle.event_tags.type     is 'The event''s type, repeated for conditions on types.';

-- 3. Partitions by position. The table so far becomes the first one. Each event now carries its stream's name: it can
--    be read without a join, and a partition that was detached explains itself.

alter table aisle.streams alter column name type text collate "C";

alter table aisle.log_head add column archived_through bigint not null default 0;
comment on column aisle.log_head.archived_through is 'Events up to this position are no longer in the table, but in an archive.';

alter table aisle.events add column stream text collate "C";
update aisle.events e
set stream = s.name
from aisle.streams s
where s.tenant = e.tenant and s.id = e.stream_id;
alter table aisle.events alter column stream set not null;
comment on column aisle.events.stream is 'Name of the stream.';
alter table aisle.events add column tags text[];
comment on column aisle.events.tags is 'Its tags, see aisle.event_tags; null if it has none.';

alter table aisle.events drop constraint events_tenant_id_key;
alter table aisle.events rename to events_1;
alter index aisle.events_pkey rename to events_1_pkey;
alter index aisle.events_tenant_stream_id_version_key rename to events_1_by_stream;
alter index aisle.events_by_category rename to events_1_by_category;

create table aisle.events (like aisle.events_1 including comments, primary key (tenant, position))
  partition by range (position);
create index events_by_category on aisle.events (tenant, category, position);
alter index aisle.account_openings rename to events_1_account_openings;
create index account_openings on aisle.events (tenant, (data ->> 'account_id'), position)
where type = 'account-opened';
comment on table aisle.events is
  'The log. Rows are only ever inserted, and only by aisle.append_batch. Partitions: see aisle.add_event_partitions.';

-- Adds partitions until the one that the log will reach after `ahead` others exists, and answers how many it added.
-- Each holds `size` positions. It may be called at any time by anybody: appends and reads go on meanwhile.
create function aisle.add_event_partitions(ahead integer default 2, size bigint default 10000000)
returns integer
language plpgsql
set search_path = pg_catalog
as $$
declare
  head   bigint;
  bound  bigint;
  name   text;
  added  integer := 0;
begin
  -- One at a time.
  lock table aisle.log_head in share update exclusive mode;
  loop
    select max(h.position) into head from aisle.log_head h;
    select coalesce(max((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''(\d+)''\)'))[1]::bigint), 1)
    into bound
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'aisle.events'::regclass;
    exit when bound > head + ahead * size;
    name := 'events_' || bound;
    -- Made beside the log and then attached, which does not make readers wait, as creating it there would.
    execute format('create table aisle.%I (like aisle.events including defaults including comments)', name);
    execute format(
      'alter table aisle.%I add constraint %I primary key (tenant, position), '
      'add constraint %I check (position >= %s and position < %s)',
      name, name || '_pkey', name || '_bounds', bound, bound + size);
    -- A guard behind the versions in aisle.streams; it cannot stand on the whole, as it has no position.
    execute format('create unique index %I on aisle.%I (tenant, stream_id, version)', name || '_by_stream', name);
    execute format('comment on table aisle.%I is %L', name, 'The log from position ' || bound || '.');
    execute format(
      'alter table aisle.events attach partition aisle.%I for values from (%s) to (%s)', name, bound, bound + size);
    execute format('alter table aisle.%I drop constraint %I', name, name || '_bounds');
    added := added + 1;
  end loop;
  return added;
end
$$;
comment on function aisle.add_event_partitions is 'Makes room for more events; appends do without it until the last partition is full.';

do $$
declare
  size  constant bigint := 10000000;
  bound bigint;
begin
  select (coalesce(max(e.position), 0) / size + 1) * size + 1 into bound from aisle.events_1 e;
  execute format('alter table aisle.events attach partition aisle.events_1 for values from (1) to (%s)', bound);
end
$$;
comment on table aisle.events_1 is 'The log from position 1.';

-- The views know the table that they were made on, whatever it is called now.
create or replace view aisle.accounts as
select e.tenant, e.data ->> 'account_id' as account_id, e.data ->> 'name' as name,
       e.data ->> 'time_zone' as time_zone, e.position as opened_position,
       (e.data ->> 'opened_at')::timestamptz as opened_at
from aisle.events e
where e.type = 'account-opened';

create or replace view aisle.billing_progress as
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
select aisle.add_event_partitions();

-- Takes the oldest partitions off the log, as far as they hold nothing beyond `through`, and answers their names. The
-- tables stay, outside of the log, until somebody drops them; their events must have been exported and verified before.
-- Reads that need them are refused. A partition stays while a tenant may still write into it, and nothing is taken that
-- a subscription has not had.
create function aisle.detach_event_partitions(through bigint)
returns setof text
language plpgsql
set search_path = pg_catalog
as $$
declare
  part   record;
  behind record;
begin
  for part in
    select c.oid::regclass as name,
           (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''(\d+)''\)'))[1]::bigint - 1 as last
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'aisle.events'::regclass
    order by 2
  loop
    exit when part.last > through or part.last > (select min(h.position) from aisle.log_head h);
    select c.tenant, c.subscription, c.position into behind
    from aisle.checkpoints c
    where c.position < part.last
    limit 1;
    if found then
      raise exception 'subscription % of tenant % is at position % and still needs %',
        behind.subscription, behind.tenant, behind.position, part.name
        using errcode = 'object_not_in_prerequisite_state',
          hint = 'Let it catch up; if nobody runs it any more, delete its row in aisle.checkpoints.';
    end if;
    execute format('alter table aisle.events detach partition %s', part.name);
    update aisle.log_head h set archived_through = least(part.last, h.position);
    return next part.name::text;
  end loop;
end
$$;
comment on function aisle.detach_event_partitions is 'Takes old partitions off the log; see docs/operations.md.';

-- 4. Appends a batch of atomic appends and answers for each operation on its own: a conflicting append fails alone.
--
-- An append is one or more operations; an operation adds op_events[i] events to the stream op_stream[i], or, with
-- no events, only demands a version. Expected versions: n >= 0 exactly that version (0: the stream does not
-- exist), -1 any, -2 the stream exists.
--
-- A condition demands of its append that no event after condition_after[i] has all of the tags and, if types are
-- named, one of the types.
--
-- Answers, in the order of the operations: outcome 0 committed, 1 conflict of version, 2 duplicate, 3 event id
-- reused, 4 conflict of a condition; version: the stream's version after it (committed, duplicate) or the actual one
-- (conflict); position: of the operation's last event, 0 if it has none; of a conflict of a condition: of an event
-- that should not be there.
create function aisle.append_batch(
  for_tenant          integer,
  stream_names        text[],      -- distinct
  stream_categories   text[],
  op_append           integer[],   -- which append the operation belongs to: 1, 1, 2, 3, 3 …
  op_stream           integer[],   -- index into stream_names
  op_expected         bigint[],
  op_events           integer[],
  append_first_event  uuid[],      -- the first event id of each append; null if it only has conditions
  event_op            integer[],   -- which operation the event belongs to: 1, 1, 1, 3 …
  event_index         integer[],   -- 1, 2, 3 … within the operation
  event_id            uuid[],
  event_type          text[],
  event_schema        smallint[],
  event_actor         text[],
  event_correlation   uuid[],
  event_causation     uuid[],
  event_traceparent   text[],
  event_data          jsonb[],
  event_tags          text[],      -- of each event: null, or an array as text; empty if no event has tags
  condition_append    integer[],   -- which append the condition belongs to: 2, 2, 3 …
  condition_after     bigint[],
  condition_tags      text[],      -- of each condition: an array as text
  condition_types     text[],      -- the same, or null for every type
  out outcomes        smallint[],
  out versions        bigint[],
  out positions       bigint[]
)
language plpgsql volatile
-- Look-ups by key are always right here. The planner cannot know: it sees neither the arrays' sizes nor, in a young
-- database, any statistics, and keeps its plan for the life of the connection. So it is left no other way.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_material = off
set jit = off
as $$
declare
  head           bigint;
  stream_count   bigint;
  batch_time     timestamptz;
  stream_ids     bigint[];
  stream_version bigint[];
  stream_change  integer[];           -- 0 none, 1 new, 2 longer
  has_new        boolean := false;
  has_longer     boolean := false;
  known          bigint[];            -- position of each append's first event, if it is stored already
  retry_op       integer[];           -- their operations that have events, in order; for each:
  retry_events   bigint[];            -- how many of these are stored
  retry_in_place boolean[];           -- whether all that are stored are in its stream
  retry_version  bigint[];            -- the last one's version
  retry_position bigint[];            -- the last one's position
  retries        integer := 0;        -- how many of them have been answered
  base_position  bigint[];            -- of each operation: the position before its first event; -1 if refused
  base_version   bigint[];
  operations     integer := cardinality(op_append);
  conditions     integer := cardinality(condition_append);
  next_condition integer := 1;
  last_condition integer;
  tags           integer := cardinality(event_tags);
  next_event     integer := 1;
  first_event    integer;
  intruder       bigint;
  this_append    integer;
  this_stream    integer;
  first_op       integer := 1;
  last_op        integer;
  accepted       boolean;
  actual         bigint;
  i              integer;
begin
  -- 1. Take the lock in a statement of its own: every later statement has a snapshot from after it was granted.
  select h.position, h.last_stream, greatest(clock_timestamp(), h.recorded_at)
  into head, stream_count, batch_time
  from aisle.log_head h
  where h.tenant = for_tenant
  for update;
  if not found then
    raise exception 'tenant % has no log', for_tenant using errcode = 'no_data_found',
      hint = 'insert a row for it into aisle.log_head';
  end if;

  -- 2. The streams as they are now, and what is a retry of something stored before.
  select s.ids, s.versions, s.changes, r.known
  into stream_ids, stream_version, stream_change, known
  from (
    select array_agg(coalesce(t.id, 0) order by n.i) as ids,
           array_agg(coalesce(t.version, 0) order by n.i) as versions,
           array_agg(0) as changes
    from unnest(stream_names) with ordinality n (name, i)
    left join aisle.streams t on t.tenant = for_tenant and t.name = n.name
  ) s, (
    select array_agg(coalesce(d.position, 0) order by f.i) as known
    from unnest(append_first_event) with ordinality f (id, i)
    left join aisle.event_ids d on d.tenant = for_tenant and d.id = f.id
  ) r;

  -- For all retries in one look, because a subscription that is run again repeats thousands at once. Of an event in an
  -- archive the id and the position are known.
  if 0 < any (known) then
    select array_agg(r.op order by r.op), array_agg(r.events order by r.op), array_agg(r.in_place order by r.op),
           array_agg(r.version order by r.op), array_agg(r.position order by r.op)
    into retry_op, retry_events, retry_in_place, retry_version, retry_position
    from (
      select n.op, count(d.id) as events, bool_and(coalesce(e.stream_id = stream_ids[op_stream[n.op]], true)) as in_place,
             max(e.version) as version, max(d.position) as position
      from unnest(event_id, event_op) n (id, op)
      left join aisle.event_ids d on d.tenant = for_tenant and d.id = n.id
      left join aisle.events e on e.tenant = for_tenant and e.position = d.position
      where known[op_append[n.op]] > 0
      group by n.op
    ) r;
  end if;

  -- 3. Decide each append in turn; it sees the effect of those before it.
  outcomes := array_fill(0::smallint, array[operations]);
  versions := array_fill(0::bigint, array[operations]);
  positions := versions;
  base_version := versions;
  base_position := array_fill(-1::bigint, array[operations]);
  while first_op <= operations loop
    this_append := op_append[first_op];
    last_op := first_op;
    while last_op < operations and op_append[last_op + 1] = this_append loop
      last_op := last_op + 1;
    end loop;
    last_condition := next_condition - 1;
    while last_condition < conditions and condition_append[last_condition + 1] = this_append loop
      last_condition := last_condition + 1;
    end loop;

    if known[this_append] > 0 then
      -- Every operation of a true retry is stored under the same ids in the same streams.
      for i in first_op..last_op loop
        if retry_op[retries + 1] = i then
          retries := retries + 1;
          outcomes[i] := case when retry_events[retries] = op_events[i] and retry_in_place[retries] then 2 else 3 end;
          versions[i] := coalesce(retry_version[retries], stream_version[op_stream[i]]);
          positions[i] := coalesce(retry_position[retries], 0);
        else
          -- A condition on a stream that is only read.
          outcomes[i] := 2;
          versions[i] := stream_version[op_stream[i]];
        end if;
      end loop;
    else
      accepted := true;
      for i in first_op..last_op loop
        actual := stream_version[op_stream[i]];
        versions[i] := actual;
        if not (op_expected[i] = actual or op_expected[i] = -1 or (op_expected[i] = -2 and actual > 0)) then
          outcomes[i] := 1;
          accepted := false;
        end if;
      end loop;
      intruder := null;
      if accepted and last_condition >= next_condition then
        -- The tags of this batch's earlier appends are stored already, see below.
        select t.position into intruder
        from generate_series(next_condition, last_condition) c (i)
        cross join lateral (
          select a.position
          from aisle.event_tags a
          where a.tenant = for_tenant and a.tag = (condition_tags[c.i]::text[])[1]
            and a.position > condition_after[c.i]
            and (condition_types[c.i] is null or a.type = any (condition_types[c.i]::text[]))
            and not exists (
              select
              from unnest(condition_tags[c.i]::text[]) o (tag)
              where not exists (
                select
                from aisle.event_tags b
                where b.tenant = for_tenant and b.tag = o.tag and b.position = a.position))
          order by a.position
          limit 1
        ) t
        limit 1;
        accepted := intruder is null;
      end if;
      if not accepted then
        -- The operations that were right are refused with the others; only the wrong ones say conflict.
        for i in first_op..last_op loop
          positions[i] := coalesce(intruder, -1);
          if intruder is not null then outcomes[i] := 4; end if;
        end loop;
      else
        for i in first_op..last_op loop
          this_stream := op_stream[i];
          if op_events[i] > 0 then
            base_position[i] := head;
            actual := stream_version[this_stream];
            base_version[i] := actual;
            head := head + op_events[i];
            actual := actual + op_events[i];
            stream_version[this_stream] := actual;
            if stream_ids[this_stream] = 0 then
              stream_count := stream_count + 1;
              stream_ids[this_stream] := stream_count;
              stream_change[this_stream] := 1;
              has_new := true;
            elsif stream_change[this_stream] = 0 then
              stream_change[this_stream] := 2;
              has_longer := true;
            end if;
            positions[i] := head;
            versions[i] := actual;
          else
            versions[i] := stream_version[this_stream];
          end if;
        end loop;
      end if;
    end if;

    -- A later append of the batch may have a condition on these tags, and looks into the table.
    if tags > 0 and conditions > 0 then
      first_event := next_event;
      for i in first_op..last_op loop
        next_event := next_event + op_events[i];
      end loop;
      insert into aisle.event_tags (tenant, tag, position, type)
      select for_tenant, t.tag, base_position[event_op[g.i]] + event_index[g.i], event_type[g.i]
      from generate_series(first_event, next_event - 1) g (i)
      cross join lateral unnest(event_tags[g.i]::text[]) t (tag)
      where base_position[event_op[g.i]] >= 0;
    end if;
    next_condition := last_condition + 1;
    first_op := last_op + 1;
  end loop;

  -- 4. Store what was accepted.
  if has_new then
    insert into aisle.streams (tenant, id, name, category, version)
    select for_tenant, s.id, s.name, s.category, s.version
    from unnest(stream_ids, stream_names, stream_categories, stream_version, stream_change)
      s (id, name, category, version, change)
    where s.change = 1;
  end if;

  if has_longer then
    update aisle.streams t
    set version = s.version
    from unnest(stream_names, stream_version, stream_change) s (name, version, change)
    where t.tenant = for_tenant and t.name = s.name and s.change = 2;
  end if;

  if tags > 0 and conditions = 0 then
    insert into aisle.event_tags (tenant, tag, position, type)
    select for_tenant, t.tag, base_position[e.op] + e.i, e.type
    from unnest(event_op, event_index, event_type, event_tags) e (op, i, type, tags)
    cross join lateral unnest(e.tags::text[]) t (tag)
    where base_position[e.op] >= 0;
  end if;

  if has_new or has_longer then
    with stored as (
      insert into aisle.events (
        position, stream_id, version, recorded_at, tenant, schema_version, id, correlation_id, causation_id,
        category, type, actor, traceparent, data, stream, tags)
      select base_position[e.op] + e.i, stream_ids[op_stream[e.op]], base_version[e.op] + e.i, batch_time, for_tenant,
             e.schema_version, e.id, e.correlation_id, e.causation_id,
             stream_categories[op_stream[e.op]], e.type, e.actor, e.traceparent, e.data, stream_names[op_stream[e.op]],
             e.tags::text[]
      from unnest(event_op, event_index, event_id, event_type, event_schema, event_actor, event_correlation,
                  event_causation, event_traceparent, event_data, event_tags)
        e (op, i, id, type, schema_version, actor, correlation_id, causation_id, traceparent, data, tags)
      where base_position[e.op] >= 0
    ), named as (
      insert into aisle.event_ids (tenant, id, position)
      select for_tenant, e.id, base_position[e.op] + e.i
      from unnest(event_op, event_index, event_id) e (op, i, id)
      where base_position[e.op] >= 0
    )
    update aisle.log_head h
    set position = head, last_stream = stream_count, recorded_at = batch_time
    where h.tenant = for_tenant;

    -- 5. One wake-up a batch; subscribers poll as well.
    perform pg_notify('aisle_log', for_tenant || ' ' || head);
  end if;
end
$$;
comment on function aisle.append_batch(
  integer, text[], text[], integer[], integer[], bigint[], integer[], uuid[], integer[], integer[], uuid[], text[],
  smallint[], text[], uuid[], uuid[], text[], jsonb[], text[], integer[], bigint[], text[], text[])
  is 'The only way to write events; see docs/event-store.md.';

-- The same without tags and conditions, as the release before this one calls it. It goes with the next release.
create or replace function aisle.append_batch(
  for_tenant          integer,
  stream_names        text[],
  stream_categories   text[],
  op_append           integer[],
  op_stream           integer[],
  op_expected         bigint[],
  op_events           integer[],
  append_first_event  uuid[],
  event_op            integer[],
  event_index         integer[],
  event_id            uuid[],
  event_type          text[],
  event_schema        smallint[],
  event_actor         text[],
  event_correlation   uuid[],
  event_causation     uuid[],
  event_traceparent   text[],
  event_data          jsonb[],
  out outcomes        smallint[],
  out versions        bigint[],
  out positions       bigint[]
)
language plpgsql volatile
as $$
begin
  select b.outcomes, b.versions, b.positions
  into outcomes, versions, positions
  from aisle.append_batch(
    for_tenant, stream_names, stream_categories, op_append, op_stream, op_expected, op_events, append_first_event,
    event_op, event_index, event_id, event_type, event_schema, event_actor, event_correlation, event_causation,
    event_traceparent, event_data, '{}', '{}', '{}', '{}', '{}') b;
end
$$;
