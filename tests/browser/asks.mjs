// What the frontend asks, for the recording of answers in tests/compat: visits the pages of liteset's example content
// and prints one line of JSON per question, each once, sorted. CARGO_TARGET_DIR=… node asks.mjs >
// ../compat/frontend.jsonl
import { Person } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";
import { visits } from "./visits.mjs";

// counters, and what bears a random word
const LEFT_OUT = [
  /^\/(static|superset\/log|api\/v1\/(log\/\?|.*\/(form_data|filter_state|permalink)|security\/csrf_token|me\/$))/,
  /^\/(log(in|out)|kv|lang|health|api\/v1\/async)/,
  /[?&](form_data_key|native_filters_key)=|last_updated_ms/,
];

const server = await start();
const person = await Person.enter(server.base);
const found = new Set();
try {
  await person.login("admin", PASSWORD);
  await person.page.waitForURL("**/superset/welcome/");
  person.page.on("request", (request) => {
    const path = request.url().slice(server.base.length);
    if (!request.url().startsWith(server.base) || LEFT_OUT.some((pattern) => pattern.test(path))) return;
    if (!["GET", "POST"].includes(request.method()) || !["document", "fetch", "xhr"].includes(request.resourceType()))
      return;
    const type = request.headers()["content-type"] ?? "";
    if (request.postData() && !type.startsWith("application/json")) return;
    const body = request.postData() ? { json: request.postDataJSON() } : {};
    found.add(JSON.stringify({ method: request.method(), path, ...body }));
  });
  const api = async (path) => (await person.page.request.get(server.base + path)).json();
  for (const kind of ["lists", "dashboards", "explore"]) {
    for (const visit of await visits(kind, api)) {
      await person.page.goto(server.base + visit.path);
      await person.quiet();
      await visit.act?.(person.page, () => person.quiet());
      console.error(visit.name, found.size);
    }
  }
} finally {
  await person.leave();
  await server.stop();
}
for (const line of [...found].sort()) console.log(line);
