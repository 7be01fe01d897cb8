create table users (
  id uuid primary key,
  username text not null unique,
  created_at timestamptz not null default now()
);
create table rooms (
  id uuid primary key,
  name text not null unique,
  created_by uuid not null references users,
  created_at timestamptz not null default now()
);
create table memberships (
  id uuid primary key default gen_random_uuid(),
  room_id uuid not null references rooms,
  user_id uuid not null references users,
  joined_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  unique (room_id, user_id)
);
create index on memberships (room_id);
create index on memberships (user_id);
create table messages (
  id uuid primary key,
  room_id uuid not null references rooms,
  user_id uuid not null references users,
  text text not null,
  created_at timestamptz not null default now()
);
create index on messages (room_id, created_at);
create index on messages (user_id);
create table message_dedupe (
  id uuid primary key default gen_random_uuid(),
  room_id uuid not null references rooms,
  user_id uuid not null references users,
  client_msg_id uuid not null,
  message_id uuid not null unique references messages,
  unique (room_id, user_id, client_msg_id)
);
