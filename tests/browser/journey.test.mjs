// One person's way from a table to a certified dashboard, with the published frontend in Chromium.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dragIntoGrid, openProperties, saveDashboard } from "./dashboards.mjs";
import { PATIENCE, Person, open, pause } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const TABLE = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE seeds (plant TEXT, n INTEGER, sown DATE)")
db.executemany("INSERT INTO seeds VALUES (?, ?, ?)", [("oak", 3, "2020-01-01"),
    ("fern", 40, "2021-01-01"), ("ivy", 12, "2021-05-01")])
db.commit()`;
// on Superset's own server as well: the editor of expressions asks for a theme that does not exist, and a page that
// saves a dashboard for the dataset "NaN"
const KNOWN = [/theme-\[object/, /dataset\/NaN\/drill_info/, /Failed to load dataset/];
const modal = ".ant-modal:visible";
const popover = ".ant-popover:visible";
const option = (text) => `.ant-select-item-option:visible:has-text('${text}')`;

let folder;
let server;
let person;
let page;
const button = (name, within = modal) => page.locator(within).getByRole("button", { name, exact: true });
// Does a deed again until it works.
async function until(deed) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await deed();
    } catch (error) {
      if (tries === 6) throw error;
    }
  }
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "liteset-journey-"));
  execFileSync("python3", ["-c", TABLE, join(folder, "feather.db")]);
  server = await start({ LITESET_PREVENT_UNSAFE_DB_CONNECTIONS: "false" });
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 1000 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
  const made = await page.evaluate(async (uri) => {
    const asked = await fetch("/api/v1/security/csrf_token/");
    if (!asked.ok) return { status: asked.status, text: await asked.text() };
    const token = (await asked.json()).result;
    const headers = { "content-type": "application/json", "X-CSRFToken": token };
    const body = JSON.stringify({ database_name: "Feather", sqlalchemy_uri: uri });
    const answer = await fetch("/api/v1/database/", { method: "POST", headers, body });
    return { status: answer.status, text: await answer.text() };
  }, `sqlite:///${folder}/feather.db`);
  assert.equal(made.status, 201, made.text);
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function done(name) {
  await person.quiet(`journey ${name}`);
  assert.deepEqual(person.complaints.splice(0).filter((said) => !KNOWN.some((known) => known.test(said))), []);
}

test("a table becomes a dataset", async () => {
  await open(page, `${server.base}/dataset/add/`);
  await page.click("[aria-label='Select database or type to search databases']");
  await page.click(option("Feather"));
  await page.waitForSelector("text=main");
  await page.click("[aria-label='Select table or type to search tables']");
  await page.click(option("seeds"));
  await page.click("button:has-text('Create and explore dataset'):enabled");
  await page.waitForURL("**/chart/add/?dataset=seeds");
  await done("dataset");
});

test("the dataset gets a metric", async () => {
  await open(page, `${server.base}/tablemodelview/list/`);
  const row = page.locator("tr:has-text('seeds')");
  await row.hover();
  await row.locator(".anticon-edit").click();
  await page.click(`${modal} .ant-tabs-tab:has-text('Metrics')`);
  await button("plus Add item").click();
  await page.click(`${modal} >> text=<new metric>`);
  await page.keyboard.press("Control+A");
  await page.keyboard.type("total");
  await page.locator(`${modal} .ace_content`).first().click();
  await page.keyboard.insertText("SUM(n)");
  await pause(page, 800); // the editor hands its text on after a while
  await button("Save").click();
  await page.getByRole("button", { name: "OK", exact: true }).click();
  await page.waitForSelector("text=The dataset has been saved");
  await done("metric");
});

test("the metric is drawn and saved as a chart of a new dashboard", async () => {
  const found = await page.evaluate(() =>
    fetch("/api/v1/dataset/?q=(filters:!((col:table_name,opr:eq,value:seeds)))").then((r) => r.json()),
  );
  await open(
    page,
    `${server.base}/explore/?datasource_type=table&datasource_id=${found.ids[0]}&viz_type=big_number_total`,
  );
  await page.click("text=Drop a column/metric here or click >> nth=0");
  await page.click(`${popover} [aria-label='Select saved metrics']`);
  await page.click(option("total"));
  await page.click(`${popover} button:has-text('Save')`);
  await page.click("button:has-text('Create chart')");
  await page.waitForSelector(".header-line:has-text('55')");
  await page.click("button:has-text('Save') >> nth=0");
  await page.fill(`${modal} input[name=new_slice_name]`, "All seeds");
  // the dialog forgets what is typed before its dashboards have come, and offers a new one when it has looked for it
  await until(async () => {
    await page.click(`${modal} [aria-label='Select a dashboard']`);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Garden");
    await page.click(option("Garden"), { timeout: 5_000 });
    await page.waitForSelector(`${modal} .ant-select-selection-item:has-text('Garden')`, { timeout: 2_000 });
    await page.waitForSelector(`${modal} button:has-text('Save & go to dashboard'):enabled`, { timeout: 2_000 });
  });
  await page.click(`${modal} button:has-text('Save & go to dashboard'):enabled`);
  await page.waitForURL("**/dashboard/**");
  await page.waitForSelector(".header-line:has-text('55')");
  await done("chart");
});

test("the dashboard is laid out and certified", async () => {
  await page.click("button:has-text('Edit dashboard')");
  await page.click(".ant-tabs-tab:has-text('Layout elements')");
  await dragIntoGrid(page, "Text / Markdown", "markdown formatting");
  await openProperties(page);
  await page.fill(`${modal} #certifiedBy`, "The gardeners");
  await page.fill(`${modal} #slug`, "garden");
  await button("Apply").click();
  const saved = await saveDashboard(page, "garden");
  assert.equal(saved.certified_by, "The gardeners");
  await open(page, `${server.base}/superset/dashboard/garden/`);
  await page.waitForSelector("text=markdown formatting");
  await page.waitForSelector(".header-line:has-text('55')");
  await done("dashboard");
});
