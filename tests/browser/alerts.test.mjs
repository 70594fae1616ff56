// Alerts, reports and pictures: made in the frontend, run by the clock, received as mails; cards of the lists, and
// dashboards downloaded as pictures of the server.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mailServer } from "./mail.mjs";
import { PATIENCE, Person } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const modal = ".ant-modal:visible";
const panel = (name) => `${modal} .ant-collapse-header:has-text('${name}')`;
// Its editor of SQL makes the frontend ask for a file that is named after an object. A picture that is not there yet is
// 404, as in Superset.
const KNOWN = [/theme-\[object%20Object\]\.js/, /^404 GET \/api\/v1\/dashboard\/\d+\/screenshot\//];

let mail;
let server;
let person;
let page;
before(async () => {
  mail = await mailServer();
  server = await start({
    SUPERSET_FEATURE_ALERT_REPORTS: "true",
    SUPERSET_FEATURE_THUMBNAILS: "true",
    SUPERSET_FEATURE_ENABLE_DASHBOARD_SCREENSHOT_ENDPOINTS: "true",
    SUPERSET_FEATURE_ENABLE_DASHBOARD_DOWNLOAD_WEBDRIVER_SCREENSHOT: "true",
    LITESET_SMTP_HOST: "127.0.0.1",
    LITESET_SMTP_PORT: String(mail.port),
    LITESET_SMTP_STARTTLS: "false",
    LITESET_SMTP_USER: "",
    LITESET_SMTP_PASSWORD: "",
    LITESET_RATELIMIT_ENABLED: "false",
    // where ten others want the processor, a page is slow
    LITESET_SCREENSHOT_LOCATE_WAIT: "120",
    LITESET_SCREENSHOT_LOAD_WAIT: "120",
  });
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 1100 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
  mail?.close();
});

// What is waited for is named each time: on a busy machine a page is not quiet for minutes.
const visit = (path) => page.goto(server.base + path);

async function shoot(name) {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
}

function nothingWrong() {
  assert.deepEqual(person.complaints.splice(0).filter((said) => !KNOWN.some((known) => known.test(said))), []);
}

async function select(label, text) {
  const box = page.locator(`${modal} div.ant-select[aria-label='${label}']`);
  await box.click();
  await box.locator("input").fill(text);
  await page.click(`.ant-select-dropdown:visible .ant-select-item-option:has-text('${text}')`);
}

// The dialog is an accordion: a panel is there once it is opened.
async function show(name, inside) {
  await page.click(panel(name));
  await page.waitForSelector(`${modal} ${inside}`);
}

async function schedule(kind, name, recipient) {
  await show("Schedule", "div.ant-select[aria-label='Schedule type']");
  await select("Schedule type", "CRON");
  await page.fill(`${modal} input[name=crontab]`, "* * * * *");
  await show("Notification method", "textarea[name=To]");
  await page.fill(`${modal} textarea[name=To]`, recipient);
  await shoot(`${kind} dialog`);
  const isPost = (answer) => /\/report\/$/.test(answer.url()) && answer.request().method() === "POST";
  const posted = page.waitForResponse(isPost);
  await page.click(`${modal} button:has-text('Add'):enabled`);
  const answer = await posted;
  assert.equal(answer.status(), 201, await answer.text());
  await page.waitForSelector(modal, { state: "hidden" });
  await page.waitForSelector(`td:has-text('${name}')`);
  return (await answer.json()).id;
}

// Looks again until there is an answer that is not false.
async function eventually(what, look, patience = 150_000) {
  const until = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < until, what);
    await new Promise((done) => setTimeout(done, 250));
  }
}

// What is to be seen: the share of pixels that are not of the most frequent colour, and how many colours there are.
async function look(name, type, bytes) {
  if (process.env.SCREENSHOTS) {
    mkdirSync(process.env.SCREENSHOTS, { recursive: true });
    writeFileSync(join(process.env.SCREENSHOTS, name), bytes);
  }
  return page.evaluate(async ([type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type }));
    const { width, height } = picture;
    const canvas = new OffscreenCanvas(width, height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);
    const seen = new Map();
    for (const pixel of pixels) seen.set(pixel, (seen.get(pixel) ?? 0) + 1);
    return { width, height, drawn: 1 - Math.max(...seen.values()) / pixels.length, colours: seen.size };
  }, [type, bytes.toString("base64")]);
}

function isDrawn(picture, least) {
  assert.ok(picture.drawn > least && picture.colours > 100, JSON.stringify(picture));
}

const ids = {};

test("a report is made in the dialog", async () => {
  await visit("/report/list/");
  await page.click("button:has-text('Report')");
  await page.fill(`${modal} input[name=name]`, "Weekly bread");
  await show("Report contents", "div.ant-select[aria-label='Select content type']");
  await select("Select content type", "Dashboard");
  await select("Dashboard", "Bakery");
  ids.report = await schedule("report", "Weekly bread", "owner@bakery.example");
  nothingWrong();
});

test("an alert is made in the dialog", async () => {
  await visit("/alert/list/");
  await page.click("button:has-text('Alert')");
  await page.fill(`${modal} input[name=name]`, "Ovens too hot");
  await show("Alert condition", "div.ant-select[aria-label='Database']");
  await select("Database", "examples");
  await page.click(`${modal} .ace_content`);
  await page.keyboard.type("SELECT 212");
  await select("Condition", "> (Larger than)");
  await page.fill(`${modal} input[name=threshold]`, "200");
  await show("Alert contents", "div.ant-select[aria-label='Select content type']");
  await select("Select content type", "Chart");
  await select("Chart", "Revenue by month");
  ids.alert = await schedule("alert", "Ovens too hot", "baker@bakery.example; guild@bakery.example");
  nothingWrong();
});

test("cards of the lists have pictures", async () => {
  const cards = async (path, count) => {
    await visit(path);
    await page.waitForFunction((count) => document.querySelectorAll(".ant-card").length === count, count);
  };
  const lists = { "/chart/list/?viewMode=card&filters=(slice_name:Revenue)": 3, "/dashboard/list/?viewMode=card": 2 };
  for (const [path, count] of Object.entries(lists)) await cards(path, count);
  for (const kind of ["chart", "dashboard"]) {
    const query = kind === "chart" ? "?q=(filters:!((col:slice_name,opr:ct,value:Revenue)))" : "";
    await eventually(`thumbnails of each ${kind}`, () =>
      page.evaluate(async ([kind, query]) => {
        const { result } = await (await fetch(`/api/v1/${kind}/${query}`)).json();
        const answers = await Promise.all(result.map(({ thumbnail_url }) => fetch(thumbnail_url)));
        return answers.every((answer) => answer.status === 200 && answer.headers.get("content-type") === "image/png");
      }, [kind, query]));
  }
  for (const [path, count] of Object.entries(lists)) {
    await cards(path, count);
    await page.waitForFunction(
      (count) => document.querySelectorAll(".ant-card [src^='blob:']").length === count,
      count,
    );
    const kind = path.split("/")[1];
    await shoot(`cards ${kind}`);
    for (let n = 0; n < count; n += 1) {
      const seen = await page.locator(".ant-card [src^='blob:']").nth(n).screenshot();
      isDrawn(await look(`card ${kind} ${n}.png`, "image/png", seen), 0.01);
    }
  }
  nothingWrong();
});

test("both mails arrive, with a picture that is drawn", async () => {
  const arrived = (to) => eventually(`mail to ${to}`, () => mail.mails.find(({ headers }) => headers.to.includes(to)));
  const report = await arrived("owner@bakery.example");
  const alert = await arrived("baker@bakery.example");
  assert.match(report.headers.subject, /^\[Report\] +Weekly bread: Bakery$/);
  assert.match(alert.headers.subject, /^\[Report\] +Ovens too hot: Revenue by month$/);
  assert.ok(alert.headers.to.includes("guild@bakery.example"), alert.headers.to);
  for (const [name, message, id, least] of [["report", report, ids.report, 0.2], ["alert", alert, ids.alert, 0.05]]) {
    assert.match(message.headers["message-id"], new RegExp(`^<report-${id}-\\d{8}T\\d{4}00Z-0@superset.com>$`));
    const picture = message.parts.find((part) => part.headers["content-type"].startsWith("image/png"));
    isDrawn(await look(`${name}.png`, "image/png", picture.content), least);
    const html = message.parts.find((part) => part.headers["content-type"].startsWith("text/html")).content.toString();
    assert.match(html, /Explore in Superset/);
  }
});

test("the log page shows the runs", async () => {
  for (const [kind, name] of [["report", "Weekly bread"], ["alert", "Ovens too hot"]]) {
    await eventually(`a run of the ${kind}`, () =>
      page.evaluate(async (id) => {
        const { result } = await (await fetch(`/api/v1/report/${id}/log/`)).json();
        return result.some(({ state }) => state === "Success");
      }, ids[kind]));
    await visit(`/${kind}/${ids[kind]}/log/`);
    await page.waitForSelector(`:text('${name}')`);
    await page.waitForSelector("td [aria-label=check], td .anticon-check");
    if (kind === "alert") await page.waitForSelector("td:has-text('212')");
    await shoot(`log ${kind}`);
  }
  nothingWrong();
});

// Without other pictures in its way: the frontend gives up after a minute and a half.
test("switched off they fire no more", async () => {
  for (const kind of ["report", "alert"]) {
    await visit(`/${kind}/list/`);
    const put = page.waitForResponse((answer) => answer.request().method() === "PUT");
    await page.click("tbody button[role=switch]");
    assert.equal((await put).status(), 200);
    await page.waitForSelector("button[role=switch][aria-checked=false]");
  }
  nothingWrong();
});

// Chooses from a submenu of the dashboard's menu. It opens under the pointer, and closes again where the page is still
// being drawn: then once more.
async function choose(submenu, item) {
  const title = page.locator(`.ant-dropdown-menu-submenu-title:visible:has-text('${submenu}')`);
  const choice = page.locator(`.ant-dropdown-menu-item:visible:has-text('${item}')`);
  for (let tries = 0; tries < 20; tries += 1) {
    if (!(await title.isVisible())) await page.click("[aria-label='Menu actions trigger']");
    await page.locator(".ant-dropdown-menu-item:visible").first().hover({ timeout: 3_000 }).catch(() => {});
    await title.hover({ timeout: 3_000 }).catch(() => {});
    if (await choice.click({ timeout: 3_000 }).then(() => true, () => false)) return;
  }
  throw new Error(`${item} could not be chosen`);
}

test("a dashboard is downloaded as picture and as PDF", async () => {
  for (const [item, check] of [
    ["Download as Image", async (bytes) => isDrawn(await look("downloaded.png", "image/png", bytes), 0.1)],
    ["Export to PDF", (bytes) => {
      assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
      assert.ok(bytes.length > 50_000, `${bytes.length} bytes`);
    }],
  ]) {
    // where others want the processor the frontend gives up before the picture is taken; it is kept for the next time
    let download = null;
    for (let tries = 0; !download && tries < 3; tries += 1) {
      await visit("/superset/dashboard/bakery/");
      await page.waitForSelector(".dashboard-component-chart-holder .slice_container canvas");
      const begun = page.waitForEvent("download", { timeout: 150_000 }).catch(() => null);
      await choose("Download", item);
      download = await begun;
    }
    assert.ok(download, item);
    await check(readFileSync(await download.path()));
  }
  nothingWrong();
});
