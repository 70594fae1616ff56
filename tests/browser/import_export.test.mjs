// Bundles out of the lists and into them again: what is there is overwritten after its word was typed, and a password
// that no bundle holds is asked for.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PATIENCE, Person, open } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const modal = ".ant-modal:visible";
let server;
let person;
let page;
let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "liteset-bundles-"));
  server = await start({ LITESET_RATELIMIT_ENABLED: "false" });
  person = await Person.enter(server.base);
  page = person.page;
  await page.setViewportSize({ width: 1400, height: 1100 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
  await send("/api/v1/saved_query/", { db_id: 1, label: "Takings", sql: "SELECT 1", schema: "main" });
}, { timeout: PATIENCE });
after(async () => {
  await person?.leave();
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

async function send(path, body) {
  const status = await page.evaluate(async ([path, body]) => {
    const token = (await (await fetch("/api/v1/security/csrf_token/")).json()).result;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    return (await fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).status;
  }, [path, body]);
  assert.equal(status, 201, path);
}

const count = (resource) =>
  page.evaluate(async (path) => (await (await fetch(path)).json()).count, `/api/v1/${resource}/`);

// The names of a bundle's files, without the folder.
function contents(path) {
  const script = "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))";
  const names = spawnSync("python3", ["-c", script, path], { encoding: "utf8" }).stdout.trim().split("\n");
  return names.map((name) => name.slice(name.indexOf("/") + 1));
}

// Opens the import dialog of a list and hands it a file.
async function choose(path) {
  await page.locator("button:has([aria-label=download])").first().click();
  await page.waitForSelector(modal);
  await page.setInputFiles(`${modal} input[type=file]`, path);
}

const press = async (button, resource) => {
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/api/v1/${resource}/import/`));
  await page.click(`${modal} .ant-modal-footer button:has-text('${button}'):enabled`);
  return (await answered).status();
};

const LISTS = [
  ["dashboard", "/dashboard/list/?viewMode=table", "dashboards/"],
  ["chart", "/chart/list/?viewMode=table", "charts/"],
  ["dataset", "/tablemodelview/list/", "datasets/examples/"],
  ["saved_query", "/savedqueryview/list/", "queries/examples/"],
];

for (const [resource, path, inside] of LISTS) {
  test(`${resource}: out of the list and over what is there`, { timeout: PATIENCE }, async () => {
    const before = await count(resource);
    await open(page, server.base + path);
    await page.click("button:has-text('Bulk select')");
    await page.locator("thead input[type=checkbox]").check();
    const download = page.waitForEvent("download");
    await page.click("button:has-text('Export')");
    const bundle = join(folder, `${resource}.zip`);
    await (await download).saveAs(bundle);
    assert.equal(readFileSync(bundle).subarray(0, 2).toString(), "PK");
    const names = contents(bundle);
    assert.ok(names.includes("metadata.yaml") && names.some((name) => name.startsWith(inside)), names.join(" "));
    assert.equal(names.filter((name) => name.startsWith(inside)).length, before);

    await open(page, server.base + path);
    await choose(bundle);
    assert.equal(await press("Import", resource), 422);
    await page.waitForSelector(`${modal} #overwrite`);
    await person.quiet(`import overwrite ${resource}`);
    await page.fill(`${modal} #overwrite`, "OVERWRIT");
    assert.equal(await page.locator(`${modal} .ant-modal-footer button:has-text('Overwrite'):enabled`).count(), 0);
    await page.fill(`${modal} #overwrite`, "OVERWRITE");
    assert.equal(await press("Overwrite", resource), 200);
    await page.waitForSelector(modal, { state: "hidden" });
    await person.quiet(`import done ${resource}`);
    assert.equal(await count(resource), before);
    const refused = `422 POST /api/v1/${resource}/import/`;
    assert.deepEqual(person.complaints.splice(0).filter((said) => said !== refused), []);
  });
}

const BUNDLE = {
  "metadata.yaml": "version: 1.0.0\ntype: SqlaTable\ntimestamp: '2024-01-01T00:00:00+00:00'\n",
  "databases/Cellar.yaml": "database_name: Cellar\nsqlalchemy_uri: postgresql://u:XXXXXXXXXX@127.0.0.1:1/cellar\n"
    + "uuid: b0000000-0000-4000-8000-0000000000aa\nversion: 1.0.0\n",
  "datasets/Cellar/wines.yaml": "table_name: wines\ncolumns:\n- column_name: year\n  type: INT\nmetrics: []\n"
    + "uuid: d0000000-0000-4000-8000-0000000000aa\nversion: 1.0.0\n"
    + "database_uuid: b0000000-0000-4000-8000-0000000000aa\n",
};

test("a password is asked for, and kept", { timeout: PATIENCE }, async () => {
  const bundle = join(folder, "cellar.zip");
  const script = "import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n"
    + "    for name, text in json.loads(sys.argv[2]).items(): z.writestr('x/' + name, text)";
  assert.equal(spawnSync("python3", ["-c", script, bundle, JSON.stringify(BUNDLE)]).status, 0);
  await open(page, `${server.base}/tablemodelview/list/`);
  await choose(bundle);
  assert.equal(await press("Import", "dataset"), 422);
  await page.waitForSelector(`${modal} input[type=password]`);
  await person.quiet("import password");
  await page.fill(`${modal} input[type=password]`, "corkscrew");
  assert.equal(await press("Import", "dataset"), 200);
  await page.waitForSelector(modal, { state: "hidden" });
  await page.waitForSelector("td:has-text('wines')");
  const shown = await page.evaluate(async () => {
    const list = (await (await fetch("/api/v1/database/?q=(page_size:100)")).json()).result;
    const { id } = list.find(({ database_name }) => database_name === "Cellar");
    return (await (await fetch(`/api/v1/database/${id}/connection`)).json()).result.sqlalchemy_uri;
  });
  assert.equal(shown, "postgresql://u:XXXXXXXXXX@127.0.0.1:1/cellar");
  const refused = "422 POST /api/v1/dataset/import/";
  assert.deepEqual(person.complaints.splice(0).filter((said) => said !== refused), []);
});
