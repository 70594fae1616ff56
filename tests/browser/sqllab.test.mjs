// SQL Lab in Chromium: run, stop, save, download, and a chart from a query.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { PATIENCE, Person, pause } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

let server;
let person;
let page;
before(async () => {
  server = await start();
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

// the grid of the results complains of itself on every server
// A new tab has a name of the frontend's own until the server numbered it; what is saved before asks for that name.
const early = /^404 PUT \/tabstateview\/[\w-]*[A-Za-z_-]/;
const ours = (complaints) => complaints.filter((c) => !c.includes("AG Grid") && !early.test(c));

async function write(sql) {
  await page.click(".ace_content");
  await page.keyboard.press("Control+A");
  await page.keyboard.type(sql, { delay: 3 });
  // away with the suggestions
  await pause(page, 500);
  await page.keyboard.press("Escape");
}
const run = () => page.click("button:has-text('Run')");

test("a query shows its rows", async () => {
  await person.visit("/sqllab/", ".ace_editor");
  await write("SELECT carrier, count(*) AS n FROM deliveries GROUP BY carrier");
  await run();
  await page.waitForSelector("text=3 rows");
  await person.quiet("sqllab rows");
});

test("the rows are downloaded", async () => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Download to CSV")]);
  assert.match(download.suggestedFilename(), /^sqllab_untitled_query_1_.*\.csv$/);
  const text = readFileSync(await download.path(), "utf8");
  assert.match(text, /^\ufeffcarrier,n\n/);
  assert.equal(text.trim().split("\n").length, 4);
});

test("the query is saved", async () => {
  await page.click("button:has-text('Save') >> nth=0");
  await page.fill(".ant-modal-content input >> nth=0", "by carrier");
  await page.click(".ant-modal-content button:has-text('Save')");
  await page.waitForSelector("text=Your query was saved");
  assert.deepEqual(ours(person.complaints.splice(0)), []);
});

test("a query without end is stopped", async () => {
  await write("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  await run();
  await page.click("button:has-text('Stop')");
  await page.waitForSelector("text=Query was stopped");
  await person.quiet("sqllab stopped");
});

test("a query becomes a chart", async () => {
  await write("SELECT carrier, count(*) AS n FROM deliveries GROUP BY carrier");
  await run();
  await page.waitForSelector("text=3 rows");
  // the page saves its tabs by itself after a while; who leaves before loses the last of it, on every server
  await pause(page, 8_000);
  await page.click("text=Create chart");
  await page.waitForURL("**/explore/**");
  await page.waitForSelector(".slice_container table td");
  await person.quiet("sqllab chart");
  assert.deepEqual(ours(person.complaints.splice(0)), []);
});

test("the history and the saved query are there after all", async () => {
  assert.deepEqual(await person.visit("/sqllab/history/", "tr.ant-table-row, [data-test=table-row]"), []);
  assert.deepEqual(await person.visit("/savedqueryview/list/", "text=by carrier"), []);
  assert.deepEqual(ours(await person.visit("/sqllab/", ".ace_editor")), []);
  await page.waitForSelector("text=by carrier");
});
