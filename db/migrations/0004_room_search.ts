import { type Kysely, sql } from "kysely";
import { foldForSearch, nameKey } from "../../text/fold.ts";

/** Rooms updated by one statement. */
const BATCH = 1_000;

interface RoomKeys {
  id: string;
  name: string;
  name_key: string;
}

/**
 * The form in which rooms are searched, and names compared without regard to invisible characters. Of
 * rooms that have one name by the new rule the oldest takes the key; the others keep theirs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Null where a process of the version before makes a room while this one starts.
  await sql`alter table rooms add column search_key text`.execute(db);
  const { rows } = await sql<RoomKeys>`
    select id, name, name_key from rooms order by created_at, id`.execute(db);
  const taken = new Set(rows.map((room) => room.name_key));
  const updates = rows.map(({ id, name, name_key }) => {
    const key = nameKey(name);
    const isFree = !taken.has(key);
    if (isFree) taken.add(key);
    return {
      id,
      name_key: isFree ? key : name_key,
      search_key: foldForSearch(name),
    };
  });
  for (let start = 0; start < updates.length; start += BATCH) {
    const batch = JSON.stringify(updates.slice(start, start + BATCH));
    await sql`
      update rooms set name_key = new.name_key, search_key = new.search_key
      from json_to_recordset(${batch}::json)
        as new (id uuid, name_key text, search_key text)
      where rooms.id = new.id`.execute(db);
  }
}
