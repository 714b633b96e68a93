-- Personal data stands in the log encrypted, with a key for each person. Forgetting somebody deletes the key.

create table aisle.privacy (
  tenant  integer not null primary key,
  secret  bytea   not null
);
comment on table  aisle.privacy        is 'One row a tenant. Its lock is shared by whoever derives tables from personal data, and taken by whoever forgets somebody.';
comment on column aisle.privacy.tenant is 'The tenant.';
comment on column aisle.privacy.secret is 'Key of the hash under which people are looked up in subject_keys.';

-- 244 random bits.
insert into aisle.privacy (tenant, secret)
select h.tenant, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
from aisle.log_head h;

create table aisle.subject_keys (
  tenant      integer     not null,
  key_id      uuid        not null,
  kind        text        not null,
  lookup      bytea       not null,
  key         bytea       not null,
  created_at  timestamptz not null default now(),
  primary key (tenant, key_id),
  unique (tenant, lookup)
);
comment on table  aisle.subject_keys            is 'One row a person whose data the log holds. Without the row nobody can read that data again.';
comment on column aisle.subject_keys.tenant     is 'The tenant.';
comment on column aisle.subject_keys.key_id     is 'Stands for the person wherever the name must not; random.';
comment on column aisle.subject_keys.kind       is 'What kind of name it is: buyer, account.';
comment on column aisle.subject_keys.lookup     is 'HMAC-SHA256 of kind and name under privacy.secret.';
comment on column aisle.subject_keys.key        is 'AES-256 key of the person''s data.';
comment on column aisle.subject_keys.created_at is 'When the first of it was stored.';

comment on column aisle.accounts.name is 'Its name as stored, which is sealed: readers of the log open it.';

select aisle.protect();
