// What a query would cost, asked in SQL Lab of a PostgreSQL whose connection allows it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PATIENCE, Person, open } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const postgres = process.env.LITESET_TEST_POSTGRES;
const skip = !postgres && "LITESET_TEST_POSTGRES is not set";

let server;
let person;
let page;
before(async () => {
  if (skip) return;
  server = await start({ SUPERSET_FEATURE_ESTIMATE_QUERY_COST: "true" });
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 900 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
});

test("a query's cost is estimated", { skip }, async () => {
  const database = await page.evaluate(async (uri) => {
    const token = (await (await fetch("/api/v1/security/csrf_token/")).json()).result;
    const headers = { "content-type": "application/json", "X-CSRFToken": token };
    const body = { database_name: "Elephant", sqlalchemy_uri: uri, extra: '{"cost_estimate_enabled": true}' };
    return (await fetch("/api/v1/database/", { method: "POST", headers, body: JSON.stringify(body) })).json();
  }, postgres);
  assert.ok(database.id, JSON.stringify(database));
  await open(
    page,
    `${server.base}/sqllab?dbid=${database.id}&name=costs&sql=${encodeURIComponent("SELECT oid FROM pg_class")}`,
  );
  await page.waitForSelector(".ace_content:has-text('pg_class')");
  const answered = page.waitForResponse("**/api/v1/sqllab/estimate/");
  await page.click("button:has-text('Estimate cost'):enabled");
  const [cost] = (await (await answered).json()).result;
  assert.ok(Number(cost["Total cost"]) > 0, JSON.stringify(cost));
  for (const text of ["Start-up cost", cost["Total cost"]])
    await page.waitForSelector(`.ant-modal:visible >> text=${text}`);
  await person.quiet("estimate");
});
