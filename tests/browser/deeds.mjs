// What a person does on the pages, one function a deed; each ends when its effect is to be seen.
// The published frontend carries few marks for tests, so things are found by what they say.
import { openProperties, saveDashboard } from "./dashboards.mjs";
import { open, pause } from "./person.mjs";

const modal = ".ant-modal:visible";
const drawn = ".slice_container canvas, .slice_container .header-line";
const answered = (page, method) => page.waitForResponse((response) => response.request().method() === method);

async function fillIn(page, button, fields) {
  await page.click(`button:has-text('${button}')`);
  for (const [name, text] of Object.entries(fields)) await page.fill(`${modal} input[name=${name}]`, text);
}

async function writeCode(page, text) {
  await page.click(`${modal} .ace_content`);
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(text);
}

const add = (page) => page.click(`${modal} button:has-text('Add'):enabled`);
const listed = (page, text) => page.waitForSelector(`td:has-text('${text}')`);

export const writes = {
  "makes a CSS template": async ({ page, base }) => {
    await open(page, `${base}/csstemplatemodelview/list/`);
    await fillIn(page, "CSS template", { template_name: "Red" });
    await writeCode(page, "body { color: red }");
    await add(page);
    await listed(page, "Red");
  },
  "makes a theme": async ({ page, base }) => {
    await open(page, `${base}/theme/list/`);
    await fillIn(page, "Theme", { theme_name: "Reddish" });
    await writeCode(page, '{"token": {"colorPrimary": "#aa0000"}}');
    await add(page);
    await listed(page, "Reddish");
  },
  "makes a tag": async ({ page, base }) => {
    await open(page, `${base}/superset/tags/`);
    const name = page.locator(`${modal} input`).first();
    // the page is drawn anew when its list arrives, and forgets what was clicked before
    for (let tries = 0; tries < 5 && !(await name.isVisible()); tries++) {
      await page.click("button:has-text('Tag')");
      await name.waitFor({ timeout: 3000 }).catch(() => {});
    }
    await name.fill("seasonal");
    await page.click(`${modal} button:has-text('Save'):enabled`);
    await listed(page, "seasonal");
  },
  "makes an annotation layer and an annotation": async ({ page, base }) => {
    await open(page, `${base}/annotationlayer/list/`);
    await fillIn(page, "Annotation layer", { name: "Feasts" });
    await add(page);
    await page.waitForURL(/annotationlayer\/\d+\/annotation/);
    await fillIn(page, "Annotation", { short_descr: "Opening day" });
    await page.click(`${modal} .ant-picker`);
    for (const moment of ["2025-05-01 00:00", "2025-05-02 00:00"]) {
      await page.keyboard.type(moment);
      await page.keyboard.press("Enter");
      await pause(page, 300);
    }
    await add(page);
    await listed(page, "Opening day");
  },
  "takes a chart as favourite and lets it go": async ({ page, base }) => {
    await open(page, `${base}/chart/list/?viewMode=table`);
    await page.locator("[aria-label=unstarred]").first().click();
    await page.waitForSelector("[aria-label=starred]");
    await page.reload();
    const gone = answered(page, "DELETE");
    await page.locator("[aria-label=starred]").first().click();
    await gone;
  },
  "saves a chart under another name": async ({ page, base }) => {
    await open(page, `${base}/explore/?slice_id=1`);
    await page.waitForSelector(drawn);
    await page.locator("button:has-text('Save'):visible").first().click();
    await page.click(`${modal} :text('Save as')`);
    await page.locator(`${modal} input[type=text]`).first().fill("Revenue, a copy");
    await page.locator(`${modal} button.ant-btn-primary`).last().click();
    await page.waitForURL(/slice_id=(?!1\b)\d+/);
    await page.waitForSelector(drawn);
  },
  "renames a dashboard": async ({ page, base }) => {
    await open(page, `${base}/superset/dashboard/bakery/`);
    await page.click("button:has-text('Edit dashboard')");
    await openProperties(page);
    await page.fill(`${modal} #title`, "Bakeries");
    await page.click(`${modal} button:has-text('Apply')`);
    await saveDashboard(page, "bakery");
    await open(page, `${base}/dashboard/list/?viewMode=table`);
    await listed(page, "Bakeries");
  },
};

export const lists = {
  "finds charts by name": async ({ page, base }) => {
    await open(page, `${base}/chart/list/?viewMode=table`);
    const found = page.waitForResponse(/api\/v1\/chart\/\?.*Revenue/);
    await page.fill("input[placeholder='Type a value']", "Revenue");
    await page.keyboard.press("Enter");
    return (await (await found).json()).count;
  },
  "sorts charts by name": async ({ page, base }) => {
    await open(page, `${base}/chart/list/?viewMode=table`);
    await page.click("th:has-text('Name')");
    await page.waitForURL(/sortColumn=slice_name/);
    await page.waitForFunction(
      () => document.querySelector("tbody tr td a[href*=explore]")?.textContent === "Branch by category",
    );
  },
};

async function choose(page, chart, ...items) {
  await page.mouse.move(0, 0);
  await page
    .locator(".dashboard-component-chart-holder", { hasText: chart })
    .locator("[aria-label='More Options']")
    .click();
  for (const [i, text] of items.entries()) {
    const item = page
      .locator(".ant-dropdown-menu-item:visible, .ant-dropdown-menu-submenu-title:visible")
      .filter({ hasText: text })
      .first();
    await (i < items.length - 1 ? item.hover() : item.click());
  }
}

async function window(page, chart, item, content) {
  await choose(page, chart, item);
  await page.locator(modal).locator(content).first().waitFor();
  await page.click(`${modal} .ant-modal-close`);
  await page.waitForSelector(modal, { state: "hidden" });
}

// on an open dashboard
export const looks = {
  "sees a chart's query": ({ page }) => window(page, "Margin by product", "View query", "text=SELECT"),
  "sees a chart as a table": ({ page }) => window(page, "Margin by product", "View as table", "td:visible"),
  "drills to the rows": ({ page }) => window(page, "Margin by product", "Drill to detail", "text=Sourdough"),
  "downloads the numbers": async ({ page }) => {
    const download = page.waitForEvent("download");
    await choose(page, "Margin by product", "Download", "Export to .CSV");
    const chunks = [];
    for await (const chunk of await (await download).createReadStream()) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8").replace(/^\ufeff/, "").split(/\r?\n/)[0];
  },
  "filters all charts, and hands on what is seen": async ({ page }) => {
    await page.locator("[aria-label='Branch'], .ant-select:has-text('options')").first().click();
    await page.locator(".ant-select-item-option", { hasText: "Harbour" }).first().click();
    await page.keyboard.press("Escape");
    const asked = page.waitForRequest(
      (request) => /chart\/data/.test(request.url()) && request.postData()?.includes("Harbour"),
    );
    await page.click("button:has-text('Apply filters')");
    await asked;
    await page.click("[aria-label='Menu actions trigger']");
    await page.hover(".ant-dropdown-menu-submenu-title:visible:has-text('Share')");
    const made = page.waitForResponse(/permalink/);
    await page.click(".ant-dropdown-menu-item:visible:has-text('Copy permalink')");
    const { url } = await (await made).json();
    const again = page.waitForRequest(
      (request) => /chart\/data/.test(request.url()) && request.postData()?.includes("Harbour"),
    );
    await open(page, url);
    await again;
  },
  "filters by a click in a chart": async ({ page, base }) => {
    await open(page, `${base}/superset/dashboard/bakery/`);
    const cell = page
      .locator(".dashboard-component-chart-holder", { hasText: "Margin by product" })
      .locator("tbody td", { hasText: "Cake" });
    const asked = page.waitForRequest(
      (request) => /chart\/data/.test(request.url()) && /"val":\["Cake"\]/.test(request.postData() ?? ""),
    );
    await cell.first().click();
    await asked;
  },
};

export const account = {
  "reads German": async ({ page, base }) => {
    await open(page, `${base}/lang/de`);
    await open(page, `${base}/chart/list/`);
    await page.waitForSelector("text=Diagramme");
    await open(page, `${base}/lang/en`);
  },
  "sets another password": async ({ page, base }, password) => {
    for (const [second, says] of [["other", "text=Passwords must match"], [password, "text=Password Changed"]]) {
      if (second === "other") await open(page, `${base}/resetmypassword/form`);
      await page.fill("#password", password);
      await page.fill("#conf_password", second);
      await page.keyboard.press("Enter");
      await page.waitForSelector(says);
    }
  },
};
