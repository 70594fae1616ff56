// Writes tests/golden/guests/asked.json: what the published frontend asks for the charts and native filters of
// tests/golden/guests/charts.json on a dashboard, with names in the place of ids.
//
//     node tests/browser/record_guests.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { Person } from "./person.mjs";
import { PASSWORD, start } from "./server.mjs";

const golden = new URL("../golden/guests/", import.meta.url);
const { charts, datasets: virtual, filters } = JSON.parse(readFileSync(new URL("charts.json", golden)));

// what a server reads of the controls that come with a query
const READ = [
  "slice_id",
  "chart_id",
  "dashboardId",
  "datasource",
  "viz_type",
  "type",
  "native_filter_id",
  "groupby",
  "columns",
  "metrics",
  "orderby",
  "x_axis",
  "server_pagination",
];

const server = await start();
const person = await Person.enter(server.base);
const { page } = person;
try {
  await page.setViewportSize({ width: 1400, height: 9000 });
  await person.login("admin", PASSWORD);
  await page.waitForURL("**/superset/welcome/");
  const { id, names } = await build();
  const asked = await listen(id, names);
  writeFileSync(new URL("asked.json", golden), `[\n${asked.map((line) => JSON.stringify(line)).join(",\n")}\n]\n`);
  const silent = charts.filter(({ name }) => !asked.some((line) => line.name === name)).map(({ name }) => name);
  console.log(`${asked.length} questions; no question of: ${silent.join(", ") || "none"}`);
} finally {
  await person.leave();
  await server.stop();
}

async function call(method, path, data) {
  const { result: csrf } = await (await page.request.get(`${server.base}/api/v1/security/csrf_token/`)).json();
  const answer = await page.request.fetch(server.base + path, {
    method,
    data,
    headers: { "X-CSRFToken": csrf, Referer: server.base },
  });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

// The charts on a dashboard; its id, and the names of charts and datasets by their ids.
async function build() {
  const database = (await call("GET", "/api/v1/database/?q=(filters:!((col:database_name,opr:eq,value:examples)))"))
    .result[0].id;
  for (const dataset of virtual) await call("POST", "/api/v1/dataset/", { ...dataset, database });
  const listed = (await call("GET", "/api/v1/dataset/?q=(page_size:100)")).result;
  const datasets = new Map(listed.map((dataset) => [dataset.table_name, dataset.id]));
  const { id } = await call("POST", "/api/v1/dashboard/", { dashboard_title: "Everything" });
  const names = { charts: new Map(), datasets: new Map(listed.map((dataset) => [dataset.id, dataset.table_name])) };
  for (const { name, viz_type, dataset, params } of charts) {
    const datasource = datasets.get(dataset);
    const body = { slice_name: name, viz_type, datasource_id: datasource, datasource_type: "table", dashboards: [id] };
    const form = { ...params, viz_type, datasource: `${datasource}__table` };
    const made = await call("POST", "/api/v1/chart/", { ...body, params: JSON.stringify(form) });
    names.charts.set(made.id, name);
  }
  const inScope = [...names.charts.keys()];
  const configured = filters.map((filter) => ({
    ...filter,
    chartsInScope: inScope,
    targets: filter.targets.map((target) => ({ ...target, datasetId: datasets.get(target.datasetId) })),
  }));
  const metadata = { native_filter_configuration: configured, cross_filters_enabled: true, chart_configuration: {} };
  await call("PUT", `/api/v1/dashboard/${id}`, {
    json_metadata: JSON.stringify(metadata),
    position_json: JSON.stringify(layout(names)),
  });
  return { id, names };
}

function layout({ charts }) {
  const ids = [...charts.keys()];
  const rows = Array.from({ length: Math.ceil(ids.length / 4) }, (_, i) => ids.slice(4 * i, 4 * i + 4));
  const nodes = {
    DASHBOARD_VERSION_KEY: "v2",
    ROOT_ID: { type: "ROOT", id: "ROOT_ID", children: ["GRID_ID"] },
    GRID_ID: { type: "GRID", id: "GRID_ID", children: rows.map((_, i) => `ROW-${i}`), parents: ["ROOT_ID"] },
  };
  rows.forEach((row, i) => {
    const parents = ["ROOT_ID", "GRID_ID"];
    const meta = { background: "BACKGROUND_TRANSPARENT" };
    nodes[`ROW-${i}`] = { type: "ROW", id: `ROW-${i}`, children: row.map((id) => `CHART-${id}`), parents, meta };
    for (const chartId of row) {
      const id = `CHART-${chartId}`;
      nodes[id] = {
        type: "CHART",
        id,
        children: [],
        parents: [...parents, `ROW-${i}`],
        meta: { chartId, width: 3, height: 30 },
      };
    }
  });
  return nodes;
}

// What the page of the dashboard asks until it has been quiet for a while.
async function listen(id, names) {
  const asked = new Map();
  let last = Date.now();
  page.on("request", (request) => {
    const kind = request.method() === "POST" && /chart\/data|explore_json/.exec(request.url())?.[0];
    if (!kind) return;
    last = Date.now();
    const line = kind === "explore_json" ? ofExploreJson(request, names) : ofChartData(request.postDataJSON(), names);
    if (line) asked.set(JSON.stringify(line), line);
  });
  await page.goto(`${server.base}/superset/dashboard/${id}/?standalone=0`);
  while (Date.now() - last < 20_000) await page.waitForTimeout(1000);
  return [...asked.values()].sort((a, b) => a.name.localeCompare(b.name));
}

function named(form, names) {
  const dataset = names.datasets.get(Number(String(form.datasource).split("__")[0]));
  const out = { ...form, dashboardId: "$dashboard", datasource: "$dataset__table" };
  for (const key of ["slice_id", "chart_id"]) if (form[key]) out[key] = "$chart";
  const name = names.charts.get(form.slice_id) ?? form.native_filter_id;
  return { name, dataset, out };
}

function ofChartData(body, names) {
  const { name, out } = named(body.form_data, names);
  const dataset = names.datasets.get(body.datasource.id);
  const form_data = Object.fromEntries(READ.filter((key) => key in out).map((key) => [key, out[key]]));
  const queries = body.queries.map(
    ({ url_params, custom_params, custom_form_data, applied_time_extras, ...query }) => query,
  );
  return { name, dataset, body: { ...body, datasource: { id: "$dataset", type: "table" }, queries, form_data } };
}

function ofExploreJson(request, names) {
  const field = /name="form_data"\r\n\r\n([\s\S]*?)\r\n--/.exec(request.postData() ?? "")?.[1];
  const form = JSON.parse(field ?? new URLSearchParams(request.postData()).get("form_data"));
  const { name, dataset, out } = named(form, names);
  const { url_params, ...form_data } = out;
  return { name, dataset, form_data };
}
