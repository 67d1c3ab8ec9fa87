// A receiver of OpenQI webhooks for Node 20, without any dependency.
// OPENQI_WEBHOOK_SECRET=whsec_... PORT=9000 node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.OPENQI_WEBHOOK_SECRET;
const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
const seen = new Set(); // in production: a table with a unique column, in the transaction of the work

function isSigned(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!/^\d{1,12}$/.test(timestamp) || age > 300) return false;
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  // There are several while a secret is rotated; versions other than v1 are skipped.
  return (headers["webhook-signature"] ?? "").split(" ").some((part) => {
    const [version, text = ""] = part.split(",");
    const given = Buffer.from(text, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function handle(message) {
  console.log(message.seq, message.type, message.data.url);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts); // the bytes as they came
    if (request.method !== "POST" || !isSigned(request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    const message = JSON.parse(body);
    try {
      if (!seen.has(message.id)) handle(message);
      seen.add(message.id);
      response.writeHead(204).end();
    } catch (fault) {
      console.error(fault);
      response.writeHead(500).end(); // it is sent again
    }
  });
});
server.listen(Number(process.env.PORT ?? 9000), "127.0.0.1", () => {
  console.log(`listening ${server.address().port}`);
});
