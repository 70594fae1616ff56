// The published frontend in Chromium, against a fresh installation with liteset's own example content.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { account, lists, looks, writes } from "./deeds.mjs";
import { PATIENCE, Person, open, pause } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const content = JSON.parse(readFileSync(new URL("../../src/commands/examples/content.json", import.meta.url)));
let server;
let person;
before(async () => {
  server = await start();
  person = await Person.enter(server.base);
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
});

test("a wrong password leads back to the form", async () => {
  await person.login("admin", "wrong");
  await person.page.waitForSelector("text=Invalid login");
});

test("the right one leads to the welcome page", async () => {
  await person.login("admin", PASSWORD);
  await person.page.waitForURL("**/superset/welcome/");
  assert.deepEqual(await person.visit("/superset/welcome/", "text=Recents"), []);
});

const LISTS = [
  "/chart/list/?viewMode=table",
  "/dashboard/list/?viewMode=table",
  "/tablemodelview/list/",
  "/databaseview/list/",
  "/users/",
  "/roles/",
];
for (const path of LISTS) {
  test(`the list ${path}`, async () => {
    assert.deepEqual(
      await person.visit(path, "table tbody tr.ant-table-row, table tbody tr[role=row], tbody tr td a"),
      [],
    );
  });
}

// What stands in each chart's place: its drawing, or an error.
const state = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll(".dashboard-component-chart-holder")].map((holder) => ({
      name: holder.querySelector("[data-test=editable-title]")?.textContent.trim() ?? "",
      error: holder.querySelector(".ant-alert-error, [data-test=error-alert]")?.textContent.slice(0, 200) ?? null,
      drawn: !!holder.querySelector(
        ".slice_container canvas, .slice_container table td, .slice_container .header-line",
      ),
      loading: !!holder.querySelector(".loading, [data-test=loading-indicator]"),
    })),
  );

for (const dashboard of content.dashboards) {
  test(`every chart of ${dashboard.title} is drawn`, async () => {
    const charts = dashboard.rows.flat().length;
    const complaints = await person.visit(
      `/superset/dashboard/${dashboard.slug}/`,
      ".dashboard-component-chart-holder",
    );
    let seen = [];
    for (let i = 0; i < 240; i += 1) {
      seen = await state(person.page);
      if (seen.length === charts && seen.every((c) => c.error || (c.drawn && !c.loading))) break;
      await pause(person.page, 500);
    }
    await person.quiet(dashboard.slug);
    complaints.push(...person.complaints.splice(0));
    assert.equal(seen.length, charts);
    assert.deepEqual(seen.filter((c) => c.error || !c.drawn), []);
    assert.deepEqual(complaints, []);
  });
}

test("a chart in the editor", async () => {
  assert.deepEqual(
    await person.visit("/explore/?slice_id=1", "[data-test=chart-container] .slice_container, .slice_container"),
    [],
  );
  await person.page.waitForSelector(
    ".slice_container .header-line, .slice_container canvas, .slice_container table td",
  );
});

// In edit mode the frontend asks for the dataset of a chart before it knows which. Why is not known: Superset was tried
// with one other dashboard and did not show it.
const KNOWN = [/dataset\/NaN\/drill_info/, /console: Failed to load dataset/];

// Does a deed; nothing may have gone wrong on the way.
async function does(deed, ...args) {
  person.complaints.length = 0;
  const result = await deed(person, ...args);
  await pause(person.page, 500);
  assert.deepEqual(person.complaints.splice(0).filter((said) => !KNOWN.some((known) => known.test(said))), []);
  return result;
}

test("a person finds charts by name", async () => {
  assert.equal(
    await does(lists["finds charts by name"]),
    content.charts.filter((chart) => chart.name.includes("Revenue")).length,
  );
});
test("a person sorts charts by name", () => does(lists["sorts charts by name"]));

test("on a dashboard a person", async (t) => {
  await person.visit("/superset/dashboard/bakery/", ".dashboard-component-chart-holder .slice_container td");
  for (const [name, deed] of Object.entries(looks)) {
    await t.test(name, async () => {
      const result = await does(deed);
      if (name === "downloads the numbers") assert.equal(result, "category,product,Units,Revenue,Margin");
    });
  }
});

for (const [name, deed] of Object.entries({ ...writes, ...account })) {
  test(`a person ${name}`, () => does(deed, PASSWORD));
}

test("after logging out the form is back", async () => {
  await open(person.page, `${server.base}/logout/`);
  await open(person.page, `${server.base}/chart/list/`);
  assert.match(person.page.url(), /\/login\/\?next=/);
});

test("a page that is not there names no other host, and none was asked in all of this", async () => {
  await open(person.page, `${server.base}/static/nowhere.js`);
  assert.deepEqual(
    await person.page.evaluate(() => [...document.querySelectorAll("[href], [src]")].map((e) => e.href ?? e.src)
      .filter((url) => !url.startsWith(location.origin))),
    [],
  );
  assert.deepEqual([...new Set(person.foreign)], []);
});
