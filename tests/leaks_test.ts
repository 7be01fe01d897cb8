import assert from "node:assert/strict";
import { startTestApp } from "./helpers/app.ts";
import { connect } from "./helpers/client.ts";
import { createRoom, joinRoom, signIn } from "./helpers/people.ts";

Deno.test({
  name:
    "an app that was used and stopped leaves no timer, socket, worker or file behind",
  sanitizeOps: true,
  sanitizeResources: true,
  async fn() {
    await using app = await startTestApp();
    const alice = await signIn(app, "alice");
    const bob = await signIn(app, "bob");
    const room = await createRoom(alice);
    await joinRoom(bob, room.id);

    await using hers = await connect(app, alice);
    await using his = await connect(app, bob);
    await hers.expect("room:join", { roomId: room.id });
    await his.expect("rooms:sync", { rooms: [{ roomId: room.id }] });
    await his.expect("typing:update", { roomId: room.id, isTyping: true });
    await hers.waitFor("typing:update", (mark) => mark.isTyping);
    await hers.expect("message:send", {
      roomId: room.id,
      text: "hello",
      clientMsgId: crypto.randomUUID(),
    });
    const message = await his.waitFor("message:new");
    assert.equal(message.text, "hello");

    await app.stop();
    assert.equal((await hers.closed).code, 1012);
    assert.equal((await his.closed).code, 1012);
  },
});
