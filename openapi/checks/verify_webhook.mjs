// Verifies signed messages with the standard's own library: reads JSON lines on standard input, each
// {secret, headers, body, expect}, and ends with 1 at the first one that is judged otherwise.
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let judged = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { name, secret, headers, body, expect } = JSON.parse(line);
  let verdict = "accepted";
  try {
    new Webhook(secret).verify(body, headers);
  } catch (fault) {
    if (fault.constructor.name !== "WebhookVerificationError") throw fault;
    verdict = "refused";
  }
  if (verdict !== expect) {
    console.error(`${name}: ${verdict}, expected ${expect}`);
    process.exit(1);
  }
  judged += 1;
}
if (judged === 0) throw new Error("nothing was judged");
console.log(`standardwebhooks of npm: ${judged} messages judged as expected.`);
