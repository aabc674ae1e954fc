import assert from "node:assert/strict";
import { root } from "../system/package";
import type { RawAnswer } from "./raw-http";

const statuses = [200, 400, 401, 405, 413, 415, 503];

/**
 * Asserts that an answer is one of the contract's, word for word in its form, and tells nothing of
 * the program behind it.
 *
 * @param method of the request: an answer to HEAD has no body
 * @param secrets what must not be in it
 */
export function assertOfContract(answer: RawAnswer | undefined, method: string, secrets: string[]): void {
  assert.ok(answer, "closed without an answer");
  const { status, headers, body } = answer;
  const whole = JSON.stringify(answer);
  assert.ok(statuses.includes(status), whole);
  assert.match(headers["content-type"] ?? "", /^application\/json\b/, whole);
  assert.equal(headers.allow, status === 405 ? "POST" : undefined, whole);
  assert.equal(headers["retry-after"] !== undefined, status === 503, whole);
  if (method === "HEAD") assert.equal(body, "");
  else if (status === 200) assert.equal(body, '{"ok":true}');
  else assert.match(body, /^\{"ok":false,"error":"[A-Z][^"\\]{1,300}\."\}$/);
  for (const inside of [root, "node_modules", ".js", "Error", "    at ", ...secrets])
    assert.ok(!whole.includes(inside), whole);
}

/**
 * Asserts that it was Node's own HTTP parser that answered, before any application got the request:
 * with a status alone, after which it closes the connection, or by closing it at once.
 */
export function assertOfNode(answer: RawAnswer | undefined): void {
  if (!answer) return;
  assert.ok([400, 408, 413, 417, 431].includes(answer.status), JSON.stringify(answer));
  assert.equal(answer.body, "");
}
