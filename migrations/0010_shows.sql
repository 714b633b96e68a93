-- Shows can be cancelled.

alter table aisle.shows add column cancelled_at timestamptz;
comment on column aisle.shows.cancelled_at is 'When the show was cancelled; null while it is on.';

select aisle.protect();
