import assert from "node:assert/strict";
import { readJunit } from "./junit.ts";

Deno.test("readJunit() tells passed, failed and ignored tests apart", () => {
  const counts = readJunit(`<?xml version="1.0"?>
    <testsuites name="deno test" tests="4" failures="1">
      <testsuite name="./a_test.ts">
        <testcase name="a > b &amp; &quot;c&quot;" line="1"></testcase>
        <testcase name="fails" classname="./a_test.ts">
          <failure message="1 &lt; 0, > no">Error: 1 &lt; 0
at x</failure></testcase>
        <testcase name="left &lt;out&gt;"><skipped/></testcase>
        <testcase name="short" line="4"/>
      </testsuite>
    </testsuites>`);
  assert.deepEqual(counts, {
    passed: 2,
    failed: 1,
    failures: ["./a_test.ts => fails\n    Error: 1 < 0\n    at x"],
    ignored: ["left <out>"],
  });
});

Deno.test("readJunit() counts nothing in the report of a run that died", () => {
  assert.deepEqual(readJunit(""), {
    passed: 0,
    failed: 0,
    failures: [],
    ignored: [],
  });
});
