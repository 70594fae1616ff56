// Databases in Chromium: connected through the dialog, filled from a file, queried and charted.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE, Person } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

let server;
let person;
let page;
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "liteset-connections-"));
  server = await start({ LITESET_PREVENT_UNSAFE_DB_CONNECTIONS: "false" });
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 1000 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const modal = ".ant-modal:visible";
const button = (name) => page.locator(modal).getByRole("button", { name, exact: true });
// the form is checked while it is filled in: what is still missing is said with 422
const checked = /^422 POST \/api\/v1\/database\/validate_parameters\//;
const ours = () => person.complaints.splice(0).filter((said) => !checked.test(said));

async function choose(name) {
  await person.visit("/databaseview/list/", "td:has-text('examples')");
  await page.click("button:has-text('Database')");
  await page.click(`.ant-modal .preferred >> text=${name}`);
  await page.waitForSelector(`${modal} input[name=database_name]`);
}

async function byForm(kind, name, fields) {
  await choose(kind);
  for (const [field, text] of Object.entries({ ...fields, database_name: name })) {
    // each field is checked when it is left
    const answer = page.waitForResponse("**/validate_parameters/", { timeout: 5_000 }).catch(() => {});
    await page.fill(`${modal} input[name=${field}]`, text);
    await page.keyboard.press("Tab");
    await answer;
  }
  // a click that leaves a field is spent on checking it; while the connection is made there is no button to click
  for (let tries = 0; tries < 12 && !(await button("Finish").isVisible()); tries += 1) {
    await button("Connect").click({ timeout: 2_000 }).catch(() => {});
    await button("Finish").waitFor({ timeout: 8_000 }).catch(() => {});
  }
  await button("Finish").click();
  await page.waitForSelector(`td:has-text('${name}')`);
  await person.quiet(`connected ${name}`);
  assert.deepEqual(ours(), []);
}

const address = (text) => {
  const { hostname, port, username, password, pathname } = new URL(text);
  return { host: hostname, port, username, password, database: pathname.slice(1) };
};

const postgres = process.env.LITESET_TEST_POSTGRES;
test("PostgreSQL is connected by its form", { skip: !postgres && "LITESET_TEST_POSTGRES is not set" }, () =>
  byForm("PostgreSQL", "Elephant", address(postgres)));

// A MariaDB that takes its root without a password.
function mariadb() {
  try {
    execFileSync("mysql", ["-h", "127.0.0.1", "-P", "3306", "-u", "root", "--connect-timeout=5", "-e", "SELECT 1"], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
test(
  "MariaDB is connected by the form of MySQL",
  { skip: !mariadb() && "no MariaDB answers on 127.0.0.1:3306" },
  async () => {
    await byForm("MySQL", "Dolphin", { host: "127.0.0.1", port: "3306", database: "mysql", username: "root" });
    const schemas = await page.evaluate(async () => {
      const found = await (
        await fetch("/api/v1/database/?q=(filters:!((col:database_name,opr:eq,value:Dolphin)))")
      ).json();
      return (await (await fetch(`/api/v1/database/${found.ids[0]}/schemas/`)).json()).result;
    });
    assert.ok(schemas.includes("mysql"), `${schemas}`);
  },
);

test("SQLite is connected by its URI, and may be filled from files", async () => {
  await choose("SQLite");
  await page.fill(`${modal} input[name=database_name]`, "Feather");
  await page.fill(`${modal} input[name=sqlalchemy_uri]`, `sqlite:///${folder}/feather.db`);
  await button("Test connection").click();
  await page.waitForSelector("text=Connection looks good!");
  await page.click(`${modal} >> text=Advanced`);
  await page.click(`${modal} .ant-collapse-header:has-text('Security')`);
  await page.click(`${modal} label:has-text('Allow file uploads to database')`);
  await button("Connect").click();
  await page.waitForSelector("td:has-text('Feather')");
  await person.quiet("connected Feather");
  assert.deepEqual(ours(), []);
});

test("a CSV file becomes a table and a dataset", async () => {
  const file = join(folder, "plants.csv");
  writeFileSync(file, "plant,height,planted\noak,12.5,2001-04-02\nfern,0.4,2020-09-30\nivy,3,2015-01-15\n");
  // the menu asks when a page is loaded whether files may be uploaded anywhere
  await person.visit("/superset/welcome/", ".ant-menu-submenu-title:has(.anticon-plus)");
  await page.hover(".ant-menu-submenu-title:has(.anticon-plus)");
  await page.hover(".ant-menu-submenu-title:has-text('Data') >> visible=true");
  await page.click("text=Upload CSV to database");
  await page.setInputFiles(`${modal} input[type=file]`, file);
  await page.click(`${modal} [aria-label='Select a database']`);
  await page.click(".ant-select-item-option:has-text('Feather')");
  await page.click(`${modal} [aria-label='Select a schema']`);
  await page.click(".ant-select-item-option:visible:has-text('main')");
  await page.fill(`${modal} input[name=table_name]`, "plants");
  await person.quiet("upload");
  await button("Upload").click();
  await page.waitForSelector("text=Data imported");
  await person.visit("/tablemodelview/list/", "td:has-text('plants')");
  assert.deepEqual(ours(), []);
});

test("and opens in the chart editor", async () => {
  await page.click("td a:has-text('plants')");
  await page.waitForURL("**/explore/**");
  await page.waitForSelector("button:has-text('Create chart')");
  // the rows of the file, below the chart that is not there yet
  await page.click("text=Samples");
  for (const plant of ["oak", "fern", "ivy"]) await page.waitForSelector(`td:has-text('${plant}')`);
  await person.quiet("plants");
  assert.deepEqual(ours(), []);
});
