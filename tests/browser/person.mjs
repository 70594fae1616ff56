// A person with a browser: visits pages and notices what goes wrong on them.
import { chromium } from "playwright-core";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

// written by the frontend itself on every server, Superset's own included
const HARMLESS = [
  /Warning: /,
  /deprecated/i,
  /Download the React DevTools/,
  /Failed to load resource/, // counted by status below
  /Content Security Policy.*unsafe-eval/,
  /gateway\.scarf\.sh.*Content Security Policy/, // the counter of the frontend's makers, which liteset does not let in
];

// The frontend asks a counter of its makers on the internet on every page: where such a question hangs instead of
// failing, no page ever becomes quiet.
const ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost";

// For a machine on which ten others want the processor, too; nothing waits that long where nothing is wrong.
export const PATIENCE = 240_000;

// Opens a page and waits until the network is quiet: lists are drawn anew when their rows, and the stars in them,
// arrive, and forget what was clicked before.
export async function open(page, url) {
  await page.goto(url);
  await settled(page);
}

export const settled = (page) => page.waitForLoadState("networkidle", { timeout: 30_000 }).catch(() => {});

// Waits by the page's own clock: what it does `after a while` is late when the page is.
export const pause = (page, ms) => page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), ms);

export class Person {
  static async enter(base) {
    const person = new Person();
    person.base = base;
    person.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--enable-unsafe-swiftshader", ONLY_HERE],
      timeout: PATIENCE,
    });
    // high enough that every chart of a dashboard is in view: charts outside it are not asked for
    const context = await person.browser.newContext({ viewport: { width: 1400, height: 3400 } });
    person.page = await context.newPage();
    person.page.setDefaultTimeout(PATIENCE / 2);
    person.#watch();
    return person;
  }

  #watch() {
    const { page, base } = this;
    this.complaints = [];
    // what was asked of other hosts; a question that the policy of the page forbids is not asked
    this.foreign = [];
    const ask = (request) => {
      const { protocol, origin } = new URL(request.url());
      const asks = ["http:", "https:", "ws:", "wss:"].includes(protocol) && origin !== new URL(base).origin;
      if (asks && !/csp/i.test(request.failure()?.errorText ?? "")) this.foreign.push(request.url().slice(0, 200));
    };
    page.on("requestfinished", ask);
    page.on("requestfailed", ask);
    page.on("pageerror", (error) => this.complaints.push(`exception: ${error.message.slice(0, 300)}`));
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !HARMLESS.some((h) => h.test(text))) {
        this.complaints.push(`console: ${text.slice(0, 300)}`);
      }
    });
    page.on("response", (response) => {
      const url = response.url();
      if (response.status() >= 400 && url.startsWith(base)) {
        this.complaints.push(
          `${response.status()} ${response.request().method()} ${url.slice(base.length, base.length + 160)}`,
        );
      }
    });
  }

  async login(user, password) {
    await this.page.goto(`${this.base}/login/`);
    await this.page.fill("#username", user);
    await this.page.fill("#password", password);
    await this.page.click("button[type=submit]");
  }

  // Opens a page and waits until `until` is there and the network is quiet; returns what went wrong since.
  async visit(path, until) {
    this.complaints.length = 0;
    await open(this.page, this.base + path);
    await this.page.waitForSelector(until);
    await this.quiet(path);
    return this.complaints.splice(0);
  }

  async quiet(name) {
    await settled(this.page);
    const shots = process.env.SCREENSHOTS;
    if (!shots || !name) return;
    mkdirSync(shots, { recursive: true });
    await this.page.screenshot({ path: join(shots, `${name.replace(/[^\w-]+/g, "_")}.png`) });
  }

  leave() {
    return this.browser.close();
  }
}
