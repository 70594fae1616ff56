// A dashboard whose charts are queried in the background, drawn by what comes over the WebSocket of this server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PATIENCE, Person, open } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

let server;
let person;
let page;
const frames = [];
const sockets = [];
const answers = [];
before(async () => {
  server = await start({
    SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES: "true",
    LITESET_GLOBAL_ASYNC_QUERIES_TRANSPORT: "ws",
    LITESET_RATELIMIT_ENABLED: "false",
  });
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 3000 });
  page.on("websocket", (socket) => {
    sockets.push(socket.url());
    socket.on("framereceived", ({ payload }) => frames.push(JSON.parse(payload)));
  });
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.pathname === "/api/v1/chart/data") answers.push(response.status());
    if (/^\/api\/v1\/async_event/.test(url.pathname)) answers.push("polled");
  });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
});

async function draw() {
  const list = await page.evaluate(async () => (await fetch("/api/v1/dashboard/")).json());
  await open(page, `${server.base}/superset/dashboard/${list.result[0].id}/`);
  await page.waitForSelector(".dashboard-component-chart-holder .slice_container");
  await page.waitForFunction(
    () => {
      const charts = document.querySelectorAll(".dashboard-component-chart-holder");
      return charts.length && !document.querySelector(".dashboard-component-chart-holder .loading");
    },
    undefined,
    { timeout: 60000 },
  );
  return page.locator(".dashboard-component-chart-holder").count();
}

test("every chart is drawn by an event over the socket", async () => {
  const charts = await draw();
  assert.ok(charts > 1, `${charts} charts`);
  const own = server.base.replace("http:", "ws:");
  assert.ok(sockets.length >= 1 && sockets.every((url) => url.startsWith(`${own}/ws`)), sockets.join(" "));
  const jobs = answers.filter((answer) => answer === 202).length;
  assert.ok(jobs >= charts, `${jobs} jobs for ${charts} charts`);
  assert.equal(frames.length, jobs, "an event for each job");
  assert.ok(frames.every((frame) => frame.status === "done"), JSON.stringify(frames));
  assert.ok(!answers.includes("polled"), "nothing is polled");
  assert.equal(await page.locator("[data-test='error-message'], .ant-alert-error").count(), 0);
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/async.png` });
  console.log(`${charts} charts, ${jobs} jobs, ${frames.length} frames`);
  await person.quiet("async dashboard");
});

test("what the cache has needs no event", async () => {
  const before = frames.length;
  answers.length = 0;
  await draw();
  assert.equal(frames.length, before);
  assert.ok(answers.length && answers.every((answer) => answer === 200), answers.join(" "));
});
