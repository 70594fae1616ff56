// Dashboards in a page of another origin, put there by the published @superset-ui/embedded-sdk (T30).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Person } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const SDK = readFileSync(new URL("node_modules/@superset-ui/embedded-sdk/bundle/index.js", import.meta.url));
// the kit asks for a new token five seconds before the old one ends
const LIFETIME = 20;
const SETTINGS = {
  SUPERSET_FEATURE_EMBEDDED_SUPERSET: "true",
  // with it the frontend of 6.0.0 fails in an embedded page, on Superset's own server as well
  SUPERSET_FEATURE_SQLLAB_BACKEND_PERSISTENCE: "false",
  LITESET_GUEST_ROLE_NAME: "Gamma",
  LITESET_GUEST_TOKEN_JWT_EXP_SECONDS: String(LIFETIME),
  LITESET_RATELIMIT_ENABLED: "false",
  // the headers of a plain installation forbid frames of other origins
  LITESET_TALISMAN_ENABLED: "false",
};
// A guest reads dashboards, not charts, which the frontend tries; and it wants to keep colours, without a session in
// which a CSRF token could be: cookies with SameSite=Lax stay out of frames. On Superset's own server as well.
const KNOWN = [
  /^404 GET \/api\/v1\/chart\/\d+$/,
  /^400 PUT \/api\/v1\/dashboard\/\d+\/colors/,
  /^exception: Response$/,
];
const holder = ".dashboard-component-chart-holder";
const drawn = ":is(.slice_container canvas, .slice_container td, .slice_container .header-line)";

let server;
let person;
let page;
let host;
// what the host page hands out for /token
let issue;
before(async () => {
  server = await start(SETTINGS);
  person = await Person.enter(server.base);
  page = person.page;
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
  host = createServer(async (request, answer) => {
    const [path] = request.url.split("?");
    if (path === "/sdk.js") return answer.setHeader("content-type", "text/javascript").end(SDK);
    if (path === "/token") return answer.end(await issue());
    return answer.setHeader("content-type", "text/html").end(PAGE);
  });
  await new Promise((done) => host.listen(0, "127.0.0.1", done));
}, { timeout: 120_000 });
after(async () => {
  host?.close();
  await person?.leave();
  await server?.stop();
});

const PAGE = `<!doctype html><title>Somebody else's page</title>
  <style>iframe { width: 1360px; height: 3200px; border: 0 }</style><div id="here"></div><script src="/sdk.js"></script>
  <script>
    const asked = new URLSearchParams(location.search);
    supersetEmbeddedSdk.embedDashboard({
      id: asked.get("id"), supersetDomain: asked.get("superset"), mountPoint: document.getElementById("here"),
      fetchGuestToken: async () => (await fetch("/token")).text(),
      dashboardUiConfig: { filters: { visible: true, expanded: true } },
      referrerPolicy: "origin",
    });
  </script>`;

// As the administrator, in a context of their own: a guest has no session.
let admin;
async function call(path, data) {
  if (!admin) {
    admin = await page.context().browser().newContext();
    await admin.addCookies(await page.context().cookies());
    await page.context().clearCookies();
  }
  const csrf = (await (await admin.request.get(`${server.base}/api/v1/security/csrf_token/`)).json()).result;
  const answer = await admin.request.post(server.base + path, {
    data,
    headers: { "X-CSRFToken": csrf, Referer: server.base },
  });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

const token = async (uuid) => {
  const resources = [{ type: "dashboard", id: uuid }];
  return (await call("/api/v1/security/guest_token/", { resources, rls: [], user: { username: "passer-by" } })).token;
};

// Opens the page of the other origin with a dashboard in it; the frame.
async function embed(slug, { domains = [], tokens } = {}) {
  const { result } = await call(`/api/v1/dashboard/${slug}/embedded`, { allowed_domains: domains });
  issue = tokens ? () => tokens(result.uuid) : () => token(result.uuid);
  person.complaints.length = 0;
  await page.goto(
    `http://localhost:${host.address().port}/?id=${result.uuid}&superset=${encodeURIComponent(server.base)}`,
  );
  return page.frameLocator("iframe");
}

const complaints = () => person.complaints.splice(0).filter((said) => !KNOWN.some((known) => known.test(said)));

async function isDrawn(frame, charts) {
  await frame.locator(holder).nth(charts - 1).waitFor();
  for (let i = 0; i < charts; i += 1) await frame.locator(holder).nth(i).locator(drawn).first().waitFor();
  assert.equal(await frame.locator(holder).count(), charts);
  assert.equal(await frame.locator(`${holder} [role=alert]`).count(), 0);
}

for (const [slug, charts] of [["bakery", 9], ["rivers-and-deliveries", 9]]) {
  test(`all charts of ${slug} are drawn for a guest`, async () => {
    const frame = await embed(slug);
    await isDrawn(frame, charts);
    await person.quiet(`embedded ${slug}`);
    assert.deepEqual(complaints(), []);
  });
}

// What the charts ask after a deed; every answer is good.
async function asks(pattern, deed) {
  const answered = page.waitForResponse(
    (answer) => /chart\/data/.test(answer.url()) && pattern.test(answer.request().postData() ?? ""),
  );
  await deed();
  const answer = await answered;
  assert.equal(answer.status(), 200, await answer.text());
}

test("a native filter offers its values and filters the charts", async () => {
  const frame = await embed("bakery");
  await isDrawn(frame, 9);
  await frame.locator("div.ant-select[aria-label='NATIVE_FILTER-1']").click();
  const option = frame.locator(".ant-select-item-option").first();
  const category = (await option.textContent()).trim();
  await option.click();
  await page.keyboard.press("Escape");
  await asks(new RegExp(`"col":"category","op":"IN","val":\\["${category}"\\]`), () =>
    frame.locator("button:has-text('Apply filters'):enabled").click());
  const table = frame.locator(holder, { hasText: "Margin by product" }).locator("tbody tr");
  await table.filter({ hasNotText: category }).first().waitFor({ state: "detached" });
  assert.ok((await table.count()) > 0);
  await person.quiet("embedded native filter");
  assert.deepEqual(complaints(), []);
});

test("a click into a chart filters the others", async () => {
  const frame = await embed("bakery");
  await isDrawn(frame, 9);
  const cell = frame.locator(holder, { hasText: "Margin by product" }).locator("tbody tr td").first();
  const category = (await cell.textContent()).trim();
  await asks(new RegExp(`"col":"category","op":"IN","val":\\["${category}"\\]`), () => cell.click());
  await person.quiet("embedded cross filter");
  assert.deepEqual(complaints(), []);
});

test("a token is replaced before it ends, and the charts go on", async () => {
  let issued = 0;
  const frame = await embed("bakery", { tokens: (uuid) => ((issued += 1), token(uuid)) });
  await isDrawn(frame, 9);
  await page.waitForTimeout((LIFETIME + 3) * 1000);
  assert.ok(issued >= 2, `${issued} tokens`);
  const cell = frame.locator(holder, { hasText: "Margin by product" }).locator("tbody tr td").first();
  await asks(/"col":"category","op":"IN"/, () => cell.click());
  assert.deepEqual(complaints(), []);
});

test("with a token that has ended the page says so, and no chart is answered", async () => {
  let only;
  const frame = await embed("bakery", { tokens: (uuid) => (only ??= token(uuid)) });
  await isDrawn(frame, 9);
  await page.waitForTimeout((LIFETIME + 3) * 1000);
  const refused = page.waitForResponse((answer) => /chart\/data/.test(answer.url()) && answer.status() === 401);
  await frame.locator(holder, { hasText: "Margin by product" }).locator("tbody tr td").first().click();
  await refused;
  await frame.getByText("This session has encountered an interruption").first().waitFor();
  await person.quiet("embedded ended");
});

test("a page that is not among the allowed ones gets no frame", async () => {
  const refused = page.waitForResponse((answer) => answer.url().includes("/embedded/"));
  await embed("bakery", { domains: ["https://example.org"] });
  assert.equal((await refused).status(), 403);
  const allowed = page.waitForResponse((answer) => answer.url().includes("/embedded/"));
  const frame = await embed("bakery", { domains: ["https://example.org", `http://localhost:${host.address().port}`] });
  assert.equal((await allowed).status(), 200);
  await isDrawn(frame, 9);
});
