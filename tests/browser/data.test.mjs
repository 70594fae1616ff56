// What people come for: dashboards whose charts are drawn, a chart in the editor, a query in SQL Lab.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person } from "./person.mjs";

let person;
before(async () => {
  person = await Person.enter();
});
after(() => person?.leave());

// scrolls through the page so that charts below the fold are asked for
async function readToTheEnd(page) {
  for (let i = 0; i < 12; i += 1) {
    await page.mouse.wheel(0, 700);
    await page.waitForTimeout(400);
  }
}

for (const slug of ["births", "world_health"]) {
  test(`the dashboard ${slug}`, async () => {
    const { page } = person;
    const complaints = await person.visit(`/superset/dashboard/${slug}/`, { until: ".dashboard-grid, .grid-container" });
    await readToTheEnd(page);
    await person.quiet();
    await person.photograph(`dashboard_${slug}_end`);
    complaints.push(...person.complaints.splice(0));
    assert.deepEqual(complaints, []);
    assert.ok((await page.locator(".slice_container canvas, .slice_container svg, .slice_container table, .slice_container .superset-legacy-chart-big-number, .slice_container .header-line").count()) > 0);
    assert.equal(await page.locator(".slice_container .ant-alert-error").count(), 0);
  });
}

test("a chart in the editor", async () => {
  const complaints = await person.visit("/chart/list/?viewMode=table", { until: "table tbody tr a" });
  await person.page.locator("table tbody tr a").first().click();
  await person.page.waitForURL("**/explore/**");
  await person.page.waitForSelector(".slice_container");
  await person.quiet();
  await person.photograph("explore");
  complaints.push(...person.complaints.splice(0));
  assert.deepEqual(complaints, []);
});

test("SQL Lab opens", async () => {
  const complaints = await person.visit("/sqllab/", { until: ".ace_editor, .SqlLab, #app .ant-tabs" });
  assert.deepEqual(complaints, []);
});
