// Visits the same pages of two servers as a person would and says what differs: requests, numbers of charts,
// complaints. node compare.mjs LITESET ORACLE OUT lists|dashboards|explore [NAME-REGEX] OUT keeps a screenshot and a
// record of each page and side; pages recorded there already are compared, not visited again.
// `-` for one of the two only records the other; for both, all that OUT holds is compared.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Person } from "./person.mjs";
import { visits } from "./visits.mjs";
import { differences } from "./differences.mjs";

const [liteset, oracle, out, kind, only = ""] = process.argv.slice(2);
if (!kind) {
  console.error("node compare.mjs LITESET ORACLE OUT lists|dashboards|explore [NAME-REGEX]");
  process.exit(2);
}
const sides = Object.fromEntries(Object.entries({ liteset, oracle }).filter(([, base]) => base !== "-"));

const recorded = (side, name) => {
  const file = join(out, side, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file)) : undefined;
};

const DATA = /^\/(api\/v1\/chart\/data|superset\/explore_json)/;

const TURNING = () =>
  [...document.querySelectorAll(".loading, [data-test=loading-indicator], .ant-spin-spinning")].some((e) =>
    e.checkVisibility(),
  );

class Visitor {
  static async enter(side, base) {
    const visitor = new Visitor();
    mkdirSync(join(out, side), { recursive: true });
    visitor.side = side;
    visitor.folder = join(out, side);
    visitor.person = await Person.enter(base);
    await visitor.person.login(process.env.COMPARE_USER ?? "admin", process.env.COMPARE_PASSWORD ?? "admin");
    await visitor.person.page.waitForURL((url) => url.pathname === "/superset/welcome/");
    visitor.#record();
    return visitor;
  }

  api = async (path) => (await this.person.page.request.get(this.person.base + path)).json();

  #record() {
    const { page, base } = this.person;
    this.pending = new Set();
    this.calls = [];
    const end = (request, status) => {
      if (!this.pending.delete(request)) return;
      const call = { method: request.method(), path: request.url().slice(base.length), status };
      this.calls.push(call);
      return call;
    };
    page.on("request", (request) => {
      if (request.url().startsWith(base)) this.pending.add(request);
    });
    page.on("requestfailed", (request) => end(request, request.failure()?.errorText ?? "failed"));
    page.on("requestfinished", async (request) => {
      const response = await request.response();
      const call = end(request, response?.status());
      if (!call || !DATA.test(call.path)) return;
      call.question = request.postData();
      call.answer = await response.json().catch(() => null);
    });
  }

  // Nothing asked for and nothing turning since a while, or too long in all.
  async settled(bound = 45_000) {
    const end = Date.now() + bound;
    for (let calm = 0; Date.now() < end; calm += 1) {
      if (calm > 6) return true;
      await this.person.page.waitForTimeout(250);
      const busy = this.pending.size || (await this.person.page.evaluate(TURNING).catch(() => true));
      if (busy) calm = -1;
    }
    return false;
  }

  async visit({ name, path, height, act, asks }) {
    const { person } = this;
    if (recorded(this.side, name)) return recorded(this.side, name);
    await person.page.setViewportSize({ width: 1400, height });
    await person.page.goto("about:blank");
    await new Promise((done) => setTimeout(done, 200));
    this.calls = [];
    this.pending.clear();
    person.complaints.length = 0;
    const seen = { alerts: {}, unsettled: [] };
    const step = async (suffix = "") => {
      if (!(await this.settled())) seen.unsettled.push(suffix);
      seen.alerts[suffix] = await person.page
        .locator(
          ".ant-alert-error, .ant-alert-warning, [data-test=error-alert], " +
            "[data-test=toast-container] .toast--danger, .ant-empty-description, .missing-chart-container",
        )
        .allInnerTexts();
      await person.page.screenshot({ path: join(this.folder, `${name}${suffix}.png`) });
    };
    try {
      const asked =
        asks &&
        person.page.waitForResponse((r) => DATA.test(new URL(r.url()).pathname), { timeout: 45_000 }).catch(() => {});
      await person.page.goto(person.base + path);
      await asked;
      await step();
      await act?.(person.page, step);
    } catch (error) {
      seen.broken = `${error.message}`.slice(0, 300);
    }
    Object.assign(seen, { calls: this.calls, complaints: person.complaints.splice(0) });
    writeFileSync(join(this.folder, `${name}.json`), JSON.stringify(seen));
    return seen;
  }
}

const visitors = Object.fromEntries(
  await Promise.all(Object.entries(sides).map(async ([side, base]) => [side, await Visitor.enter(side, base)])),
);
const [first] = Object.values(visitors);
const names = () =>
  readdirSync(join(out, "oracle"))
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({ name: file.slice(0, -5) }));
const all = first ? await visits(kind, first.api) : names();
const total = { pages: 0, requests: 0, charts: 0, differences: 0 };
for (const visit of all.filter((v) => new RegExp(only).test(v.name))) {
  const [theirs, ours] = await Promise.all(
    ["oracle", "liteset"].map((side) => visitors[side]?.visit(visit) ?? recorded(side, visit.name)),
  );
  if (!ours || !theirs) continue;
  const { found, requests, charts } = differences(ours, theirs);
  total.pages += 1;
  total.requests += requests;
  total.charts += charts;
  total.differences += found.length;
  for (const line of found) console.log(`${visit.name}: ${line}`);
}
console.log(JSON.stringify(total));
await Promise.all(Object.values(visitors).map((visitor) => visitor.person.leave()));
process.exit(total.differences ? 1 : 0);
