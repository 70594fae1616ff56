// Every page that the navigation offers opens, shows its rows, and nothing complains.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, base } from "./person.mjs";

let person;
before(async () => {
  person = await Person.enter();
});
after(() => person?.leave());

test("a wrong password leads back to the form", async () => {
  const stranger = await Person.enter(null);
  try {
    await stranger.page.goto(`${base}/chart/list/`);
    assert.match(stranger.page.url(), /\/login\/\?next=/);
    await stranger.page.fill("#username", "admin");
    await stranger.page.fill("#password", "wrong");
    await stranger.page.click("button[type=submit]");
    await stranger.page.waitForSelector("text=Invalid login");
    await stranger.photograph("login_wrong");
  } finally {
    await stranger.leave();
  }
});

test("the welcome page", async () => {
  const complaints = await person.visit("/superset/welcome/", { until: "text=Recents" });
  assert.deepEqual(complaints, []);
  assert.equal(await person.page.locator("text=Dashboards").first().isVisible(), true);
});

const LISTS = [
  "/chart/list/?viewMode=table",
  "/dashboard/list/?viewMode=table",
  "/tablemodelview/list/",
  "/databaseview/list/",
  "/savedqueryview/list/",
  "/sqllab/history/",
  "/csstemplatemodelview/list/",
  "/theme/list/",
  "/annotationlayer/list/",
  "/rowlevelsecurity/list/",
  "/users/",
  "/roles/",
  "/actionlog/list",
];
for (const path of LISTS) {
  test(`the list ${path}`, async () => {
    const complaints = await person.visit(path, { until: "table tbody tr, .ant-empty" });
    assert.deepEqual(complaints, []);
  });
}

for (const path of ["/chart/add", "/dataset/add/", "/user_info/", "/list_groups/", "/registrations/"]) {
  test(`the page ${path}`, async () => {
    const complaints = await person.visit(path, { until: "#app .ant-layout, #app main, #app [role=main], #app .ant-menu" });
    assert.deepEqual(complaints, []);
  });
}

test("an unknown address", async () => {
  const answer = await person.page.goto(`${base}/no/such/page`);
  assert.equal(answer.status(), 404);
  await person.photograph("404");
});
