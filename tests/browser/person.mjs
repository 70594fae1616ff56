// A person with a browser: logs in once, visits pages, and notices what goes wrong on them.
import { chromium } from "playwright-core";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

export const base = process.env.LITESET_URL ?? "http://127.0.0.1:8088";
const shots = process.env.SCREENSHOTS;
// written by the frontend itself on every server, Superset's own included
const HARMLESS = [
  /Warning: /,
  /deprecated/i,
  /Download the React DevTools/,
  /Failed to load resource/, // counted by status below
  /Content Security Policy.*unsafe-eval/,
];

export class Person {
  static async enter(user = process.env.LITESET_USER ?? "admin", password = process.env.LITESET_PASSWORD ?? "admin") {
    const person = new Person();
    person.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    });
    const context = await person.browser.newContext({ viewport: { width: 1400, height: Number(process.env.HEIGHT ?? 1000) } });
    person.page = await context.newPage();
    person.page.setDefaultTimeout(60_000);
    person.#watch();
    if (user) await person.login(user, password);
    return person;
  }

  #watch() {
    this.complaints = [];
    this.page.on("pageerror", (error) => this.complaints.push(`exception: ${error.message.slice(0, 300)}`));
    this.page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !HARMLESS.some((h) => h.test(text))) {
        this.complaints.push(`console: ${text.slice(0, 300)}`);
      }
    });
    this.page.on("response", (response) => {
      const url = response.url();
      if (response.status() >= 400 && url.startsWith(base)) {
        this.complaints.push(`${response.status()} ${response.request().method()} ${url.slice(base.length, base.length + 160)}`);
      }
    });
  }

  async login(user, password) {
    await this.page.goto(`${base}/login/`);
    await this.page.fill("#username", user);
    await this.page.fill("#password", password);
    await this.page.click("button[type=submit]");
    await this.page.waitForURL("**/superset/welcome/");
  }

  // Opens a page and waits until it is quiet; returns what went wrong since.
  async visit(path, { until, name } = {}) {
    this.complaints.length = 0;
    await this.page.goto(base + path);
    if (until) await this.page.waitForSelector(until);
    await this.quiet();
    await this.photograph(name ?? path);
    return this.complaints.splice(0);
  }

  async quiet() {
    await this.page.waitForLoadState("networkidle", { timeout: 20_000 }).catch(() => {});
  }

  async photograph(name) {
    if (!shots) return;
    mkdirSync(shots, { recursive: true });
    const file = name.replace(/^\/|\/$/g, "").replace(/[^\w-]+/g, "_") || "index";
    await this.page.screenshot({ path: join(shots, `${file}.png`) });
  }

  leave() {
    return this.browser.close();
  }
}
