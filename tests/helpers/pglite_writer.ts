/**
 * A process that opens the embedded database in the folder given as its first argument, with the
 * durability given as its second, and stores messages one after another, until it is killed. Prints `ready`, then the `seq` of each after it is stored.
 */

import { openDatabase } from "../../db/engine/database.ts";
import { migrate } from "../../db/engine/migrate.ts";
import type { Durability } from "../../db/engine/pglite_files.ts";
import { storeMessages } from "../../db/messages.ts";
import { silentLog } from "./log.ts";
import { makeRoom, makeUser, newMessage, NOON } from "./records.ts";

const print = (line: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const [dataDir = "", durability] = Deno.args;
const db = await openDatabase({
  databaseUrl: undefined,
  dataDir,
  durability: durability as Durability,
}, silentLog);
await migrate(db);
const user = await makeUser(db);
const roomId = await makeRoom(db, user);
print("ready");
for (;;) {
  const [stored] = await storeMessages(
    db,
    [newMessage(roomId, user.id)],
    NOON,
  );
  print(String(stored?.seq));
}
