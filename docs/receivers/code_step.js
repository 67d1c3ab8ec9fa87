// A code step: n8n "Code", Make "Run JavaScript", an Azure Function that a Power Automate flow calls.
// Gives { ok, reason, message }. `body` must be the text as it came, not the parsed object.
const { createHmac, timingSafeEqual } = require("node:crypto");

function check({ secret, headers, body, now = Date.now() / 1000 }) {
  const named = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const id = named["webhook-id"] ?? "";
  const timestamp = named["webhook-timestamp"] ?? "";
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > 300) {
    return { ok: false, reason: "old or no timestamp", message: null };
  }
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  const isSigned = (named["webhook-signature"] ?? "").split(" ").some((part) => {
    const [version, text = ""] = part.split(",");
    const given = Buffer.from(text, "base64");
    return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!isSigned) return { ok: false, reason: "wrong signature", message: null };
  return { ok: true, reason: null, message: JSON.parse(body) };
}

module.exports = { check };
