-- An account may move to another time zone. Its zone is a fact of the log with a position, as its opening is: what stands
-- before it stays in the months that it is in.
--
-- `account-zone-changed` is found by its tags, `account-zone-changed` and `account-zone-changed:<account>`, so the log gets no
-- index for it. The release before this one changes no zone; it asks the same functions, and follows the changes of others.

create view aisle.account_zones as
select a.tenant, a.account_id, a.time_zone, a.opened_position as "position"
from aisle.accounts a
union all
select e.tenant, e.data ->> 'account_id', e.data ->> 'time_zone', e.position
from aisle.event_tags t
join aisle.events e on e.tenant = t.tenant and e.position = t.position
where t.tag = 'account-zone-changed' and t.type = 'account-zone-changed';
comment on view   aisle.account_zones            is 'Which zone an account has been in from which position on. Never behind.';
comment on column aisle.account_zones.tenant     is 'The tenant.';
comment on column aisle.account_zones.account_id is 'The account.';
comment on column aisle.account_zones.time_zone  is 'IANA name; it decides the months of all that comes after position.';
comment on column aisle.account_zones.position   is 'Position of account-opened or account-zone-changed.';

create or replace function aisle.account_openings(for_tenant integer, for_accounts text[])
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
    union all
    select e.data ->> 'account_id', e.data ->> 'time_zone', e.position
    from aisle.event_tags t
    join aisle.events e on e.tenant = t.tenant and e.position = t.position
    where t.tenant = for_tenant and t.type = 'account-zone-changed'
      and t.tag = any (array(select 'account-zone-changed:' || a from unnest(for_accounts) a))
    order by 1, 3;
end
$$;
comment on function aisle.account_openings is 'When some accounts were opened or moved, and into which time zone.';

select aisle.protect();
