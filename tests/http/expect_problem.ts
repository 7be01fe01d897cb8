import assert from "node:assert/strict";
import {
  type ProblemBody,
  type ProblemCode,
  PROBLEMS,
} from "../../routes/problems.ts";

/** The answer must be this problem, in every part that a client may rely on. */
export async function expectProblem(
  answer: Response,
  code: ProblemCode,
): Promise<ProblemBody> {
  const text = await answer.text();
  assert.equal(answer.status, PROBLEMS[code].status, text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const body: ProblemBody = JSON.parse(text);
  assert.equal(body.code, code);
  assert.equal(body.status, answer.status);
  assert.equal(body.title, PROBLEMS[code].title);
  assert.equal(typeof body.detail, "string");
  assert.equal(body.type, `/docs/problems#${code}`);
  return body;
}
