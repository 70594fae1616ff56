// The whole frontend below `/bi/` of a host, in front of a server that sits there itself (SUPERSET_APP_ROOT) and of one
// that a proxy puts there (X-Forwarded-Prefix): nothing is ever asked for outside.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { PATIENCE, Person } from "./person.mjs";
import { proxy } from "./proxy.mjs";
import { PASSWORD, start } from "./server.mjs";

const MODES = {
  "the server's own root": { strips: false, settings: { SUPERSET_APP_ROOT: "/bi" } },
  "the header of a proxy": { strips: true, settings: {} },
};
const chart = ".dashboard-component-chart-holder .slice_container canvas";
// The browser asks for an icon by itself; the theme's own picture is where the theme says, as in Superset.
const KNOWN = ["GET /favicon.ico", "GET /static/assets/images/superset-logo-horiz.png"];
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

async function arrive({ strips, settings }) {
  const front = await proxy(strips);
  ends.push(front.close);
  const server = await start({
    ...settings,
    LITESET_ENABLE_PROXY_FIX: "true",
    LITESET_RATELIMIT_ENABLED: "false",
    SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES: "true",
    LITESET_GLOBAL_ASYNC_QUERIES_TRANSPORT: "ws",
  });
  ends.push(server.stop);
  front.to(server.base);
  const person = await Person.enter(front.base);
  ends.push(() => person.leave());
  return { front, person, page: person.page };
}

for (const [name, mode] of Object.entries(MODES)) {
  test(`below a path by ${name}`, { timeout: PATIENCE }, async () => {
    const { front, person, page } = await arrive(mode);
    const sockets = [];
    page.on("websocket", (socket) => sockets.push(new URL(socket.url()).pathname));
    // without a log-in to the page of the log-in, and from there to where it was to go
    await page.goto(`${front.base}/`);
    await page.waitForURL((url) => url.pathname === "/bi/login/");
    await page.fill("#username", "admin");
    await page.fill("#password", PASSWORD);
    await page.click("button[type=submit]");
    await page.waitForURL((url) => url.pathname === "/bi/superset/welcome/");
    await page.waitForSelector("text=Bakery");
    await page.click("a:has-text('Dashboards') >> nth=0");
    await page.waitForURL((url) => url.pathname === "/bi/dashboard/list/");
    await page.locator("a:has-text('Bakery')").first().click();
    await page.waitForURL((url) => url.pathname === "/bi/superset/dashboard/bakery/");
    await page.waitForSelector(chart);
    await page.waitForFunction(() => !document.querySelector(".dashboard-component-chart-holder .loading"));
    await person.quiet(`below a path ${mode.strips ? "header" : "root"}`);
    assert.equal(await page.locator("[data-test='error-message'], .ant-alert-error").count(), 0);
    assert.ok(sockets.length && sockets.every((path) => path === "/bi/ws"), sockets.join(" "));
    const session = (await page.context().cookies()).find((cookie) => cookie.name === "session");
    assert.equal(session.path, mode.strips ? "/" : "/bi");
    await page.goto(`${front.base}/logout/`);
    await page.waitForURL((url) => url.pathname === "/bi/login/");
    assert.deepEqual(front.outside.filter((asked) => !KNOWN.includes(asked)), []);
    assert.deepEqual(person.complaints.splice(0), []);
  });
}
