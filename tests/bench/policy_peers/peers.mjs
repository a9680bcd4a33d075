// Asks cedar-wasm what policy_bench asked nacre: the same policies, in Cedar, and the same calls.
// `node peers.mjs INPUT.json`; prints {"cedar_wasm": [{"rules", "p50_us", "p99_us", "load_ms", "decisions"}]}.
import { readFileSync } from "node:fs";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";

const input = JSON.parse(readFileSync(process.argv[2], "utf8"));
const rows = [];
for (const size of input.sizes) {
  const id = `rules${size.rules}`;
  const began = performance.now();
  const parsed = cedar.preparsePolicySet(id, { staticPolicies: size.cedar });
  if (parsed.type !== "success") {
    throw new Error(`cedar refused the policy: ${JSON.stringify(parsed).slice(0, 400)}`);
  }
  const loadMs = performance.now() - began;
  const times = [];
  const until = performance.now() + input.seconds * 1000;
  // At least 20 calls, then until the time is over.
  for (let i = 0; i < 20 || (i < size.calls.length && performance.now() < until); ++i) {
    const call = size.calls[i % size.calls.length];
    const request = {
      principal: { type: "Agent", id: "a" },
      action: { type: "Action", id: call.tool },
      resource: { type: "Host", id: "h" },
      context: call.context,
      preparsedPolicySetId: id,
      entities: [],
    };
    const start = performance.now();
    const answer = cedar.statefulIsAuthorized(request);
    times.push((performance.now() - start) * 1000);
    if (answer.type !== "success" || (answer.response.decision === "allow") !== call.allowed) {
      throw new Error(`cedar differs on ${JSON.stringify(call)}: ${JSON.stringify(answer).slice(0, 400)}`);
    }
  }
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  rows.push({ rules: size.rules, p50_us: at(0.5), p99_us: at(0.99), load_ms: loadMs, decisions: times.length });
}
console.log(JSON.stringify({ cedar_wasm: rows }));
