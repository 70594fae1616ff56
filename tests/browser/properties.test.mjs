// What is said of a dashboard in its dialogs: name, certification, colours, tags, theme; kept, and to be seen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openDialog, openProperties, saveDashboard } from "./dashboards.mjs";
import { PATIENCE, Person, open } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const modal = ".ant-modal:visible";
const option = (text) => `.ant-select-item-option:visible:has-text('${text}')`;
// in edit mode the frontend asks for a dataset before it knows which, see person.test.mjs
const KNOWN = [/dataset\/NaN\/drill_info/, /console: Failed to load dataset/];

let server;
let person;
let page;
let theme;
before(async () => {
  server = await start();
  person = await Person.enter(server.base);
  page = person.page;
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
  const made = await page.evaluate(async () => {
    const token = (await (await fetch("/api/v1/security/csrf_token/")).json()).result;
    const headers = { "content-type": "application/json", "X-CSRFToken": token };
    const post = async (path, body) =>
      (await fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
    await post("/api/v1/tag/", { name: "seasonal", objects_to_tag: [] });
    return post("/api/v1/theme/", { theme_name: "Rye", json_data: '{"token": {"colorPrimary": "#aa0000"}}' });
  });
  theme = made.id;
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
});

async function done(name) {
  await person.quiet(`properties ${name}`);
  assert.deepEqual(person.complaints.splice(0).filter((said) => !KNOWN.some((known) => known.test(said))), []);
}

async function select(label, text) {
  await page.click(`${modal} ${label}`);
  await page.keyboard.type(text);
  await page.click(option(text));
}

test("certification, colours and tags", async () => {
  await open(page, `${server.base}/superset/dashboard/bakery/`);
  await page.click("button:has-text('Edit dashboard')");
  await openProperties(page);
  await select("div.ant-select[aria-label='Select color scheme']", "Airbnb");
  await select("div.ant-select[aria-label='Tags']", "seasonal");
  await page.keyboard.press("Escape");
  await page.fill(`${modal} #certifiedBy`, "The guild of bakers");
  await page.fill(`${modal} #certificationDetails`, "Tasted twice");
  await page.click(`${modal} button:has-text('Apply')`);
  const stored = await saveDashboard(page, "bakery");
  assert.equal(stored.certified_by, "The guild of bakers");
  assert.equal(stored.certification_details, "Tasted twice");
  assert.equal(JSON.parse(stored.json_metadata).color_scheme, "bnbColors");
  assert.deepEqual(stored.tags.filter((tag) => tag.type === 1).map((tag) => tag.name), ["seasonal"]);
  await done("certified");
});

test("they are to be seen by who opens it", async () => {
  await open(page, `${server.base}/superset/dashboard/bakery/`);
  await page.waitForSelector("[aria-label=certified]");
  await page.waitForSelector(".dashboard-component-chart-holder .slice_container canvas");
  await done("seen");
  assert.deepEqual(
    await person.visit("/dashboard/list/?viewMode=table", "td:has-text('Bakery') [aria-label=certified]"),
    [],
  );
  await page.waitForSelector("td:has-text('seasonal')");
  assert.deepEqual(
    await person.visit(
      "/superset/all_entities/?id=" +
        (await page.evaluate(
          async () =>
            (await (await fetch("/api/v1/tag/?q=(filters:!((col:name,opr:eq,value:seasonal)))")).json()).ids[0],
        )),
      "text=Bakery",
    ),
    [],
  );
});

test("a theme colours the dashboard, and only it", async () => {
  const link = "button:has-text('Edit dashboard')";
  const visit = async (slug) => {
    await open(page, `${server.base}/superset/dashboard/${slug}/`);
    await page.waitForSelector(link);
    await page.waitForSelector(".dashboard-component-chart-holder .slice_container canvas");
  };
  // the theme comes after the page, and colours change slowly
  const becomes = (like, plain) =>
    page.waitForFunction(([like, plain]) => {
      const button = [...document.querySelectorAll("button")].find((b) => b.textContent === "Edit dashboard");
      return button && (getComputedStyle(button).color === plain) === like;
    }, [like, plain]);
  await visit("bakery");
  const plain = await page.locator(link).evaluate((button) => getComputedStyle(button).color);
  await page.click(link);
  await openDialog(page, "Theme & CSS");
  await select(".ant-select", "Rye");
  const saved = page.waitForResponse(
    (answer) => answer.request().method() === "PUT" && /api\/v1\/dashboard\/\d+$/.test(answer.url()),
  );
  await page.click(`${modal} button:has-text('Apply')`);
  assert.equal((await (await saved).json()).result.theme_id, theme);
  await visit("bakery");
  await becomes(false, plain);
  await done("theme");
  await visit("rivers-and-deliveries");
  await becomes(true, plain);
  await done("no theme");
});
