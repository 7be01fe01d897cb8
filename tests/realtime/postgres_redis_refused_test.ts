import assert from "node:assert/strict";
import { ConfigError } from "../../config.ts";
import { startTestApp } from "../helpers/app.ts";
import { redisMissing, startRedis } from "../helpers/redis.ts";

Deno.test({
  name:
    "a Redis that refuses the server ends the start with one line that names REDIS_URL",
  ignore: await redisMissing() !== undefined,
  async fn() {
    await using redis = await startRedis();
    const REDIS_URL = redis.url.replace("//", "//nobody:wrong-one@");
    await assert.rejects(startTestApp({ REDIS_URL }), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, /^REDIS_URL: WRONGPASS .+; accepted: .+$/);
      assert.ok(!error.message.includes("wrong-one"));
      return true;
    });
  },
});
