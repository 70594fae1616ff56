// The buttons and dialogs by which things leave an installation and come back: exports of rows and of many, imports
// that ask for passwords and for the word that overwrites.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE, Person, open } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const modal = ".ant-modal:visible";
const LISTS = {
  chart: "/chart/list/?viewMode=table",
  dashboard: "/dashboard/list/?viewMode=table",
  dataset: "/tablemodelview/list/",
  database: "/databaseview/list/",
  saved_query: "/savedqueryview/list/",
  theme: "/theme/list/",
};
const MODELS = { dataset: "SqlaTable", database: "Database" };
const VAULT = "6e1a3c1e-0000-4000-8000-000000000001";
// nobody listens there: an import says so in the log, and goes on
const DATABASE = `database_name: Vault
sqlalchemy_uri: postgresql://keeper:XXXXXXXXXX@127.0.0.1:1/vault
cache_timeout: null
expose_in_sqllab: true
allow_run_async: false
allow_ctas: false
allow_cvas: false
allow_dml: false
allow_csv_upload: false
extra: {}
uuid: ${VAULT}
version: 1.0.0
`;
const DATASET = `table_name: ledger
main_dttm_col: null
description: null
default_endpoint: null
offset: 0
cache_timeout: null
schema: public
sql: null
params: null
template_params: null
filter_select_enabled: true
fetch_values_predicate: null
extra: null
uuid: 6e1a3c1e-0000-4000-8000-000000000002
metrics: []
columns: []
version: 1.0.0
database_uuid: ${VAULT}
`;
const WRITE = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as bundle:
    for name, text in json.loads(sys.argv[2]).items():
        bundle.writestr("bundle/" + name, text)`;
const READ = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as bundle:
    print(json.dumps({name.split("/", 1)[1]: bundle.read(name).decode() for name in bundle.namelist()}))`;

let folder;
let server;
let person;
let page;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "liteset-moving-"));
  server = await start();
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 900 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
  const databases = await ask("GET", "/api/v1/database/");
  const [database] = databases.ids;
  await ask("POST", "/api/v1/saved_query/", { db_id: database, label: "Loaves", sql: "SELECT 1" });
  await ask("POST", "/api/v1/theme/", { theme_name: "Rye", json_data: '{"token": {"colorPrimary": "#aa0000"}}' });
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(name, resource, files) {
  const path = join(folder, name);
  const metadata = `version: 1.0.0\ntype: ${MODELS[resource]}\n`;
  execFileSync("python3", ["-c", WRITE, path, JSON.stringify({ "metadata.yaml": metadata, ...files })]);
  return path;
}

const read = (path) => JSON.parse(execFileSync("python3", ["-c", READ, path], { encoding: "utf8" }));

async function ask(method, path, body) {
  const answer = await page.evaluate(async ([method, path, body]) => {
    const token = (await (await fetch("/api/v1/security/csrf_token/")).json()).result;
    const headers = { "content-type": "application/json", "X-CSRFToken": token };
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    return { ok: answer.ok, text: await answer.text() };
  }, [method, path, body]);
  assert.ok(answer.ok, `${method} ${path}: ${answer.text}`);
  return JSON.parse(answer.text);
}

// What is in a list under a name.
async function find(resource, column, name) {
  const found = await ask("GET", `/api/v1/${resource}/?q=(filters:!((col:${column},opr:eq,value:'${name}')))`);
  return found.ids;
}

// Goes to a list; its row of a name.
async function rowOf(resource, name) {
  await open(page, server.base + LISTS[resource]);
  const row = page.locator("tbody tr", { hasText: name }).first();
  await row.waitFor();
  return row;
}

async function saved(click, name) {
  const download = page.waitForEvent("download");
  await click();
  const path = join(folder, name);
  await (await download).saveAs(path);
  return path;
}

// Exports the row of a name.
async function exported(resource, name) {
  const row = await rowOf(resource, name);
  await row.hover();
  return saved(() => row.locator(".anticon-upload").click(), `${resource}.zip`);
}

const button = (name) => page.locator(modal).getByRole("button", { name, exact: true });
const answered = (resource) =>
  page.waitForResponse((answer) => answer.url().endsWith(`/api/v1/${resource}/import/`));

// Clicks the button that sends a file, until it is answered with a status.
async function sent(resource, name, status) {
  const answer = answered(resource);
  await button(name).click();
  assert.equal((await answer).status(), status, await (await answer).text());
}

// Opens the dialog of the list that is shown and gives it a file.
async function offer(path) {
  await page.click("button:has(.anticon-download)");
  await page.setInputFiles(`${modal} input[type=file]`, path);
}

async function overwrite(resource) {
  const confirm = button("Overwrite");
  await confirm.waitFor();
  assert.ok(await confirm.isDisabled(), "the word is asked for");
  await page.fill(`${modal} #overwrite`, "OVERWRITE");
  await sent(resource, "Overwrite", 200);
  await page.waitForSelector(modal, { state: "hidden" });
}

// What went wrong; questions of the dialogs are answers with 422.
async function done(name) {
  await person.quiet(`moving ${name}`);
  assert.deepEqual(person.complaints.splice(0).filter((said) => !/^422 POST .*\/import\/$/.test(said)), []);
}

for (const [resource, column, name] of [
  ["chart", "slice_name", null],
  ["dashboard", "dashboard_title", "Bakery"],
  ["saved_query", "label", "Loaves"],
  ["theme", "theme_name", "Rye"],
]) {
  test(`a ${resource} leaves its list, comes back, and is overwritten with a word`, async () => {
    const shown = name ?? (await ask("GET", "/api/v1/chart/?q=(page_size:1)")).result[0].slice_name;
    const file = await exported(resource, shown);
    const [id] = await find(resource, column, shown);
    await ask("DELETE", `/api/v1/${resource}/${id}`);
    await offer(file);
    const listed = page.waitForResponse((answer) => answer.url().includes(`/api/v1/${resource}/?q=`));
    await sent(resource, "Import", 200);
    await page.waitForSelector(modal, { state: "hidden" });
    await listed;
    await page.locator("tbody tr", { hasText: shown }).first().waitFor();
    const there = await find(resource, column, shown);
    assert.equal(there.length, 1);
    await offer(file);
    await sent(resource, "Import", 422);
    await overwrite(resource);
    assert.deepEqual(await find(resource, column, shown), there);
    await done(resource);
  });
}

test("many charts leave together", async () => {
  await open(page, server.base + LISTS.chart);
  await page.click("button:has-text('Bulk select')");
  await page.locator("thead .ant-checkbox-input").click();
  const file = await saved(() => page.click("button:has-text('Export')"), "charts.zip");
  const all = await ask("GET", "/api/v1/chart/");
  const charts = Object.keys(read(file)).filter((path) => path.startsWith("charts/"));
  assert.equal(charts.length, Math.min(all.count, 25));
  await done("bulk");
});

test("a dataset asks for the password of its database", async () => {
  const files = { "databases/Vault.yaml": DATABASE, "datasets/Vault/ledger.yaml": DATASET };
  await open(page, server.base + LISTS.dataset);
  await offer(write("ledger.zip", "dataset", files));
  await sent("dataset", "Import", 422);
  await page.fill(`${modal} input[name="password-databases/Vault.yaml"]`, "only-in-here");
  await sent("dataset", "Import", 200);
  await page.waitForSelector(modal, { state: "hidden" });
  const file = await exported("dataset", "ledger");
  const inside = read(file);
  assert.ok(Object.values(inside).some((text) => text.includes("keeper:XXXXXXXXXX@")), Object.keys(inside).join());
  assert.ok(Object.values(inside).every((text) => !text.includes("only-in-here")));
  // the database is there: its password is not asked for again
  await offer(file);
  await sent("dataset", "Import", 422);
  await overwrite("dataset");
  await done("dataset");
});

test("a database comes from a file with its password, and is overwritten with a word", async () => {
  const [ledger] = await find("dataset", "table_name", "ledger");
  await ask("DELETE", `/api/v1/dataset/${ledger}`);
  const [vault] = await find("database", "database_name", "Vault");
  await ask("DELETE", `/api/v1/database/${vault}`);
  const choose = async (path, status) => {
    await open(page, server.base + LISTS.database);
    await page.click("button:has(.anticon-plus):has-text('Database')");
    const answer = answered("database");
    await page.setInputFiles(`${modal} input[type=file]`, path);
    assert.equal((await answer).status(), status);
  };
  await choose(write("vault.zip", "database", { "databases/Vault.yaml": DATABASE }), 422);
  await page.fill(`${modal} input[name=password_needed]`, "only-in-here");
  await sent("database", "Connect", 200);
  const file = await exported("database", "Vault");
  assert.match(read(file)["databases/Vault.yaml"], /keeper:XXXXXXXXXX@/);
  await choose(file, 422);
  await page.fill(`${modal} input[name=confirm_overwrite]`, "OVERWRITE");
  await sent("database", "Connect", 200);
  assert.equal((await find("database", "database_name", "Vault")).length, 1);
  await done("database");
});
