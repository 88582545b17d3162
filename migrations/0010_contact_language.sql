-- The language in which the buyer gave the address, and is told in.
alter table contacts add column language text not null default 'en';
