-- The event store: one ordered log for each tenant.
--
-- Every key starts with `tenant`, the distribution column; there are no triggers, no sequences, no foreign keys
-- across tenants. The whole write path is the function aisle.append_batch below; read it from the top.

create schema aisle;
comment on schema aisle is 'Aisle: event store, read models, billing.';

create table aisle.log_head (
  tenant       integer     not null primary key,
  log_id       uuid        not null default gen_random_uuid(),
  position     bigint      not null default 0,
  last_stream  bigint      not null default 0,
  recorded_at  timestamptz not null default '-infinity'
) with (fillfactor = 10);
comment on table  aisle.log_head             is 'One row a tenant: the end of its log. Its row lock is the sequencer.';
comment on column aisle.log_head.tenant      is 'The tenant.';
comment on column aisle.log_head.log_id      is 'Identity of this log; an export of another log is refused.';
comment on column aisle.log_head.position    is 'Position of the last committed event; positions have no gaps.';
comment on column aisle.log_head.last_stream is 'The last stream id given out.';
comment on column aisle.log_head.recorded_at is 'Time of the last batch; it never goes back, whatever the clock does.';

create table aisle.streams (
  tenant    integer not null,
  id        bigint  not null,
  version   bigint  not null,
  category  text    not null,
  name      text    not null,
  primary key (tenant, id),
  unique (tenant, name)
) with (fillfactor = 80);
comment on table  aisle.streams          is 'Every stream once: its name and its current version.';
comment on column aisle.streams.tenant   is 'The tenant.';
comment on column aisle.streams.id       is 'Short key of the stream, given out by log_head.last_stream.';
comment on column aisle.streams.version  is 'Version of the last event; the first event of a stream has version 1.';
comment on column aisle.streams.category is 'What kind of thing the stream is about: show, order, account.';
comment on column aisle.streams.name     is 'category-id, such as show-42.';

create table aisle.events (
  position        bigint      not null,
  stream_id       bigint      not null,
  version         bigint      not null,
  recorded_at     timestamptz not null,
  tenant          integer     not null,
  schema_version  smallint    not null,
  id              uuid        not null,
  correlation_id  uuid,
  causation_id    uuid,
  category        text        not null,
  type            text        not null,
  actor           text,
  traceparent     text,
  data            jsonb       not null,
  primary key (tenant, position),
  unique (tenant, stream_id, version),
  unique (tenant, id)
);
create index events_by_category on aisle.events (tenant, category, position);
comment on table  aisle.events                is 'The log. Rows are only ever inserted, and only by aisle.append_batch.';
comment on column aisle.events.position       is '1, 2, 3 … without gaps; position order = commit order = stream order.';
comment on column aisle.events.stream_id      is 'The stream, see aisle.streams.';
comment on column aisle.events.version        is '1, 2, 3 … within the stream.';
comment on column aisle.events.recorded_at    is 'When the batch was committed, by the database''s clock.';
comment on column aisle.events.tenant         is 'The tenant.';
comment on column aisle.events.schema_version is 'Version of the payload''s schema for this type.';
comment on column aisle.events.id             is 'Chosen by the writer; the same id is never stored twice, so a retry is safe for ever.';
comment on column aisle.events.correlation_id is 'The business transaction that the event belongs to.';
comment on column aisle.events.causation_id   is 'The event or command that caused it.';
comment on column aisle.events.category       is 'The stream''s category, repeated for reading by category.';
comment on column aisle.events.type           is 'Name of the fact, past tense: seats-held.';
comment on column aisle.events.actor          is 'Who did it.';
comment on column aisle.events.traceparent    is 'W3C trace context of the request.';
comment on column aisle.events.data           is 'The payload.';

-- Appends a batch of atomic appends and answers for each operation on its own: a conflicting append fails alone.
--
-- An append is one or more operations; an operation adds op_events[i] events to the stream op_stream[i], or, with
-- no events, only demands a version. Expected versions: n >= 0 exactly that version (0: the stream does not
-- exist), -1 any, -2 the stream exists.
--
-- Answers, in the order of the operations: outcome 0 committed, 1 conflict, 2 duplicate, 3 event id reused;
-- version: the stream's version after it (committed, duplicate) or the actual one (conflict); position: of the
-- operation's last event, 0 if it has none.
create function aisle.append_batch(
  for_tenant          integer,
  stream_names        text[],      -- distinct
  stream_categories   text[],
  op_append           integer[],   -- which append the operation belongs to: 1, 1, 2, 3, 3 …
  op_stream           integer[],   -- index into stream_names
  op_expected         bigint[],
  op_events           integer[],
  append_first_event  uuid[],      -- the first event id of each append; null if it only has conditions
  event_op            integer[],   -- which operation the event belongs to
  event_index         integer[],   -- 1, 2, 3 … within the operation
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
  stream_is_new  boolean[];
  stream_changed boolean[];
  known          bigint[];            -- position of each append's first event, if it is stored already
  retry_op       integer[];           -- their operations that have events, in order; for each:
  retry_events   bigint[];            -- how many of these are stored
  retry_in_place boolean[];           -- whether all that are stored are in its stream
  retry_version  bigint[];            -- the last one's version
  retry_position bigint[];            -- the last one's position
  retries        integer := 0;        -- how many of them have been answered
  base_position  bigint[] := '{}';    -- of each operation: the position before its first event; -1 if refused
  base_version   bigint[] := '{}';
  operations     integer := cardinality(op_append);
  this_append    integer;
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

  -- 2. The streams as they are now.
  select array_agg(coalesce(s.id, 0) order by n.i), array_agg(coalesce(s.version, 0) order by n.i),
         array_agg(s.id is null order by n.i), array_agg(false order by n.i)
  into stream_ids, stream_version, stream_is_new, stream_changed
  from unnest(stream_names) with ordinality n (name, i)
  left join aisle.streams s on s.tenant = for_tenant and s.name = n.name;

  -- 3. What is a retry of something stored before?
  select array_agg(coalesce(e.position, 0) order by f.i)
  into known
  from unnest(append_first_event) with ordinality f (id, i)
  left join aisle.events e on e.tenant = for_tenant and e.id = f.id;

  -- For all of them in one look, because a subscription that is run again repeats thousands at once.
  if 0 < any (known) then
    select array_agg(r.op order by r.op), array_agg(r.events order by r.op), array_agg(r.in_place order by r.op),
           array_agg(r.version order by r.op), array_agg(r.position order by r.op)
    into retry_op, retry_events, retry_in_place, retry_version, retry_position
    from (
      select n.op, count(e.id) as events, bool_and(e.stream_id = stream_ids[op_stream[n.op]]) as in_place,
             max(e.version) as version, max(e.position) as position
      from unnest(event_id, event_op) n (id, op)
      left join aisle.events e on e.tenant = for_tenant and e.id = n.id
      where known[op_append[n.op]] > 0
      group by n.op
    ) r;
  end if;

  -- 4. Decide each append in turn; it sees the effect of those before it.
  outcomes := array_fill(0::smallint, array[operations]);
  versions := array_fill(0::bigint, array[operations]);
  positions := array_fill(0::bigint, array[operations]);
  base_position := array_fill(-1::bigint, array[operations]);
  base_version := array_fill(0::bigint, array[operations]);
  while first_op <= operations loop
    this_append := op_append[first_op];
    last_op := first_op;
    while last_op < operations and op_append[last_op + 1] = this_append loop
      last_op := last_op + 1;
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
      if not accepted then
        -- The operations that were right are refused with the others; only the wrong ones say conflict,
        -- unless there is just one.
        for i in first_op..last_op loop
          positions[i] := -1;
        end loop;
      else
        for i in first_op..last_op loop
          if op_events[i] > 0 then
            base_position[i] := head;
            base_version[i] := stream_version[op_stream[i]];
            head := head + op_events[i];
            stream_version[op_stream[i]] := stream_version[op_stream[i]] + op_events[i];
            stream_changed[op_stream[i]] := true;
            if stream_ids[op_stream[i]] = 0 then
              stream_count := stream_count + 1;
              stream_ids[op_stream[i]] := stream_count;
            end if;
            positions[i] := head;
          end if;
          versions[i] := stream_version[op_stream[i]];
        end loop;
      end if;
    end if;
    first_op := last_op + 1;
  end loop;

  -- 5. Store what was accepted.
  if true = any (stream_changed) then
    insert into aisle.streams (tenant, id, name, category, version)
    select for_tenant, s.id, s.name, s.category, s.version
    from unnest(stream_ids, stream_names, stream_categories, stream_version, stream_is_new, stream_changed)
      s (id, name, category, version, is_new, changed)
    where s.is_new and s.changed;

    update aisle.streams t
    set version = s.version
    from unnest(stream_ids, stream_version, stream_is_new, stream_changed) s (id, version, is_new, changed)
    where t.tenant = for_tenant and t.id = s.id and s.changed and not s.is_new;

    insert into aisle.events (
      position, stream_id, version, recorded_at, tenant, schema_version, id, correlation_id, causation_id,
      category, type, actor, traceparent, data)
    select base_position[e.op] + e.i, stream_ids[op_stream[e.op]], base_version[e.op] + e.i, batch_time, for_tenant,
           e.schema_version, e.id, e.correlation_id, e.causation_id,
           stream_categories[op_stream[e.op]], e.type, e.actor, e.traceparent, e.data
    from unnest(event_op, event_index, event_id, event_type, event_schema, event_actor, event_correlation,
                event_causation, event_traceparent, event_data)
      e (op, i, id, type, schema_version, actor, correlation_id, causation_id, traceparent, data)
    where base_position[e.op] >= 0;

    update aisle.log_head h
    set position = head, last_stream = stream_count, recorded_at = batch_time
    where h.tenant = for_tenant;

    -- 6. One wake-up a batch; subscribers poll as well.
    perform pg_notify('aisle_log', for_tenant || ' ' || head);
  end if;
end
$$;
comment on function aisle.append_batch is 'The only way to write events; see docs/event-store.md.';

insert into aisle.log_head (tenant) values (1);
