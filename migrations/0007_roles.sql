-- Who may do what: the services run as a role that cannot change the log but through aisle.append_batch, and see one
-- tenant only.
--
-- aisle_service is a group role of the whole server. A login role for services is made by an administrator:
--
--   create role shop login password '…' in role aisle_service;
--   insert into aisle.tenant_roles (tenant, role) values (1, 'shop');
--
-- Its connections say which of their tenants they work for: set aisle.tenant = 1. Who is not listed sees nothing.
-- The owner of the tables (who migrates) and superusers are not limited by any of this.

do $$
begin
  if not exists (select from pg_roles where rolname = 'aisle_service') then
    create role aisle_service nologin;
  end if;
exception
  -- Another database of this server was migrated at the same moment.
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise exception 'the role aisle_service does not exist, and % may not create roles', current_user
      using errcode = 'insufficient_privilege',
            hint = 'As an administrator of the server run: create role aisle_service nologin. Then migrate again.';
end
$$;

create table aisle.tenant_roles (
  tenant  integer not null,
  role    text    not null,
  primary key (tenant, role)
);
comment on table  aisle.tenant_roles        is 'Which login role may work for which tenant.';
comment on column aisle.tenant_roles.tenant is 'The tenant.';
comment on column aisle.tenant_roles.role   is 'Name of the login role.';

-- The names in here are looked up as its owner would, wherever the caller's search_path leads.
create function aisle.current_tenant()
returns integer
language plpgsql stable parallel safe security definer
set search_path = pg_catalog, pg_temp
as $$
-- Not in SQL, which would be planned anew in every statement.
begin
  -- The session's role, not the current one: nobody becomes another tenant by set role, or by calling a function.
  return (
    select r.tenant
    from aisle.tenant_roles r
    where r.tenant = nullif(current_setting('aisle.tenant', true), '')::integer and r.role = session_user
  );
end
$$;
comment on function aisle.current_tenant is 'The tenant that the session says it works for, if its role may; otherwise null.';

create function aisle.is_operator()
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return pg_has_role(session_user, (select n.nspowner from pg_namespace n where n.nspname = 'aisle'), 'member');
end
$$;
comment on function aisle.is_operator is 'Whether the session belongs to the owner of the schema or to a superuser.';

create function aisle.require_tenant(for_tenant integer)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if for_tenant is distinct from aisle.current_tenant() and not aisle.is_operator() then
    raise exception 'the role % may not work for tenant % in this session', session_user, for_tenant
      using errcode = 'insufficient_privilege',
            hint = 'List the role in aisle.tenant_roles, and let its connections set aisle.tenant.';
  end if;
end
$$;
comment on function aisle.require_tenant is 'Refuses a caller who may not work for the tenant; the first step of every function that runs as the owner.';

-- An expression on a payload may not be looked up in an index before row-level security has chosen the rows, so that
-- finding an account would mean reading them all. This function chooses the tenant first, and then looks it up.
create function aisle.account_openings(for_tenant integer, for_accounts text[])
returns table (account_id text, time_zone text, "position" bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform aisle.require_tenant(for_tenant);
  return query
    select e.data ->> 'account_id', e.data ->> 'time_zone', e.position
    from aisle.events e
    where e.tenant = for_tenant and e.type = 'account-opened' and e.data ->> 'account_id' = any (for_accounts)
    order by 1, 3;
end
$$;
comment on function aisle.account_openings is 'When some accounts were opened, and with which time zone.';

-- The log is written as its owner, after a look at who asks.
do $$
declare
  f           record;
  definition  text;
begin
  for f in
    select p.oid::regprocedure as signature, pg_get_functiondef(p.oid) as definition
    from pg_proc p
    where p.pronamespace = 'aisle'::regnamespace and p.proname = 'append_batch'
  loop
    definition := regexp_replace(
      f.definition, '\nbegin\n', E'\nbegin\n  -- 0. Who asks?\n  perform aisle.require_tenant(for_tenant);\n\n');
    if definition = f.definition then
      raise exception '% has no line "begin" to put the look at its caller behind', f.signature;
    end if;
    execute definition;
    execute format('alter function %s security definer', f.signature);
    execute format('alter function %s set search_path = pg_catalog, pg_temp', f.signature);
  end loop;
end
$$;

-- Every process makes room for events to come, and only as much as is usual: with other arguments anybody could fill the
-- catalog with tables.
do $$
declare
  definition  text := pg_get_functiondef('aisle.add_event_partitions'::regproc);
  guarded     text := regexp_replace(
    definition, '\nbegin\n',
    E'\nbegin\n  if (ahead, size) is distinct from (2, 10000000::bigint) and not aisle.is_operator() then\n'
    '    raise exception ''only the owner may choose the size and number of partitions'' using errcode = ''insufficient_privilege'';\n'
    '  end if;\n');
begin
  if guarded = definition then
    raise exception 'aisle.add_event_partitions has no line "begin" to put the look at its caller behind';
  end if;
  execute guarded;
  alter function aisle.add_event_partitions security definer;
  alter function aisle.add_event_partitions set search_path = pg_catalog, pg_temp;
end
$$;

-- Grants and row-level security for every table, view and function as they are now. A migration that adds one ends
-- with: select aisle.protect();
create function aisle.protect()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  r record;
begin
  for r in
    select c.oid::regclass as name, c.relname, c.relispartition, c.relrowsecurity,
           exists (
             select from pg_attribute a
             where a.attrelid = c.oid and a.attname = 'tenant' and not a.attisdropped
           ) as has_tenant,
           exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant') as has_policy
    from pg_class c
    where c.relnamespace = 'aisle'::regnamespace and c.relkind in ('r', 'p')
  loop
    execute format('revoke all on %s from public, aisle_service', r.name);
    -- A partition is reached through its table only, which is where the rows are chosen.
    continue when r.relispartition;
    if r.relname in ('events', 'event_ids', 'event_tags', 'streams', 'log_head') then
      -- Written by functions only.
      execute format('grant select on %s to aisle_service', r.name);
    elsif r.relname <> 'tenant_roles' then
      -- Never truncate, which row-level security does not see.
      execute format('grant select, insert, update, delete on %s to aisle_service', r.name);
    end if;
    if r.has_tenant and not r.relrowsecurity then
      execute format('alter table %s enable row level security', r.name);
    end if;
    if r.has_tenant and not r.has_policy then
      -- The subquery is worked out once a statement, not once a row.
      execute format(
        'create policy tenant on %s to aisle_service '
        'using (tenant = (select aisle.current_tenant())) with check (tenant = (select aisle.current_tenant()))', r.name);
    end if;
  end loop;

  for r in
    select c.oid::regclass as name
    from pg_class c
    where c.relnamespace = 'aisle'::regnamespace and c.relkind = 'v'
  loop
    -- A view reads as who reads it, not as its owner.
    execute format('alter view %s set (security_invoker = true)', r.name);
    execute format('grant select on %s to aisle_service', r.name);
  end loop;

  for r in
    select p.oid::regprocedure as signature, p.prokind, p.proname
    from pg_proc p
    where p.pronamespace = 'aisle'::regnamespace
  loop
    -- Whatever runs as its caller can do no more than the caller.
    execute format('revoke execute on routine %s from public', r.signature);
    if r.proname not in ('protect', 'detach_event_partitions') then
      execute format('grant execute on routine %s to aisle_service', r.signature);
    end if;
  end loop;
end
$$;
comment on function aisle.protect is 'Gives aisle_service its rights on everything in the schema, and no others; for migrations.';

grant usage on schema aisle to aisle_service;
select aisle.protect();

-- So that services can tell whether the schema is theirs.
do $$
begin
  if to_regclass('public.aisle_migrations') is not null then
    grant select on public.aisle_migrations to aisle_service;
  end if;
end
$$;
