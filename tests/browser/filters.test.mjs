// A native filter made in the dialog of a dashboard: it changes what the charts ask, and outlives the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PATIENCE, Person, open } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const modal = ".ant-modal:visible";
const option = (text) => `.ant-select-item-option:visible:has-text('${text}')`;
// the rows of the table of products
const cells = ".dashboard-component-chart-holder:has-text('Margin by product') .slice_container tbody tr";

let box;
let server;
let person;
let page;
before(async () => {
  server = await start();
  person = await Person.enter(server.base);
  page = person.page;
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
});

async function done(name) {
  await person.quiet(`filters ${name}`);
  assert.deepEqual(person.complaints.splice(0), []);
}

test("a filter is made and saved", async () => {
  await person.visit("/superset/dashboard/bakery/", cells);
  await page.click("[aria-label='setting']");
  await page.click(".ant-dropdown-menu-item:visible:has-text('Add or edit filters')");
  await page.click(`${modal} button:has-text('Add filter')`);
  const form = page.locator(modal);
  await form.locator("input[id$=_name]:visible").fill("Which product");
  await form.locator("div.ant-select[aria-label='Dataset']:visible").click();
  await page.click(option("bakery_sales"));
  await form.locator("div.ant-select[aria-label='Column select']:visible").click();
  await page.keyboard.type("product");
  await page.click(option("product"));
  const saved = page.waitForResponse(
    (answer) => answer.request().method() === "PUT" && /dashboard\/\d+\/filters/.test(answer.url()),
  );
  await page.click(`${modal} button:has-text('Save'):enabled`);
  const answer = await saved;
  assert.equal(answer.status(), 200);
  // the box of a filter bears its number
  box = `div.ant-select[aria-label='${answer.request().postDataJSON().modified[0].id}']`;
  await page.waitForSelector(modal, { state: "hidden" });
  await page.waitForSelector(box);
  await done("made");
});

// The charts ask again with the filter in their queries, and then the table has these rows.
async function shows(products, deed) {
  const asked = page.waitForRequest(
    (request) =>
      /chart\/data/.test(request.url()) &&
      /"col":"product","op":"IN","val":\["Sourdough"\]/.test(request.postData() ?? ""),
  );
  await deed();
  await asked;
  await page.waitForFunction(
    ([cells, products]) => {
      const rows = [...document.querySelectorAll(cells)];
      const holder = rows.filter((row) =>
        row.closest(".dashboard-component-chart-holder").textContent.includes("Margin by product"),
      );
      return holder.map((row) => row.cells[1].textContent).join() === products.join();
    },
    [".dashboard-component-chart-holder .slice_container tbody tr", products],
  );
}

test("it is applied, and the charts show what it leaves", async () => {
  await page.click(box);
  await page.click(option("Sourdough"));
  await page.keyboard.press("Escape");
  // the page puts the choice away a while after it is applied; who reloads before loses it, on every server
  const kept = page.waitForResponse(
    (response) => response.url().includes("/filter_state") && response.request().postData()?.includes("Sourdough"),
  );
  await shows(["Sourdough"], () => page.click("button:has-text('Apply filters'):enabled"));
  assert.ok((await kept).ok());
  await done("applied");
});

test("after a reload it is still there, with what was chosen", async () => {
  await page.waitForURL(/native_filters_key=/);
  await shows(["Sourdough"], () => page.reload());
  await page.waitForSelector(`${box}:has-text('Sourdough')`);
  await done("reloaded");
});

test("somebody who opens the dashboard anew sees it without a choice", async () => {
  await open(page, `${server.base}/superset/dashboard/bakery/`);
  await page.waitForSelector(box);
  await page.waitForSelector(`${cells}:has-text('Cheesecake')`);
  await done("anew");
});
