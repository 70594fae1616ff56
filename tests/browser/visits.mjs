// The pages that compare.mjs visits, and what a person does on each of them.
const LISTS = {
  welcome: "/superset/welcome/",
  charts: "/chart/list/?viewMode=table",
  "charts-cards": "/chart/list/?viewMode=card",
  dashboards: "/dashboard/list/?viewMode=table",
  "dashboards-cards": "/dashboard/list/?viewMode=card",
  datasets: "/tablemodelview/list/",
  databases: "/databaseview/list/",
  "saved-queries": "/savedqueryview/list/",
  "query-history": "/sqllab/history/",
  "annotation-layers": "/annotationlayer/list/",
  annotations: "/annotationlayer/1/annotation",
  "css-templates": "/csstemplatemodelview/list/",
  tags: "/superset/tags/",
  "all-entities": "/superset/all_entities/?id=1",
  alerts: "/alert/list/",
  reports: "/report/list/",
  users: "/users/",
  roles: "/roles/",
  groups: "/list_groups/",
  registrations: "/registrations/",
  rls: "/rowlevelsecurity/list/",
  "action-log": "/actionlog/list",
  themes: "/theme/list/",
  "user-info": "/user_info/",
  "chart-add": "/chart/add",
  "dataset-add": "/dataset/add/",
  "fab-user-info": "/users/userinfo/",
  "fab-reset-my-password": "/resetmypassword/form",
  "fab-reset-password": "/resetpassword/form?pk=2",
  "fab-edit-user-info": "/userinfoeditview/form",
  "not-found": "/superset/dashboard/nowhere/",
};

// Buttons that open something; named by the page, pressed one after the other with Escape between them.
const OPENERS = {
  welcome: [
    "[role=tab]:has-text('Favorite')",
    "[role=tab]:has-text('Edited')",
    "[role=tab]:has-text('All')",
    "button[aria-label='Settings'], .ant-menu-submenu:has-text('Settings')",
  ],
  charts: ["tr:nth-child(2) [data-test=edit-alt], tr:nth-child(2) [aria-label=edit]"],
  dashboards: ["tr:nth-child(2) [data-test=edit-alt], tr:nth-child(2) [aria-label=edit]"],
  datasets: [
    "tr:nth-child(2) [data-test=edit-alt], tr:nth-child(2) [aria-label=edit]",
    "tr:nth-child(2) [aria-label=delete]",
  ],
  "annotation-layers": ["button:has-text('Annotation layer')"],
  annotations: ["button:has-text('Annotation')"],
  "css-templates": ["button:has-text('CSS template')"],
  themes: ["button:has-text('Theme')"],
  users: ["button:has-text('Add user')"],
  roles: ["button:has-text('Add role')"],
  groups: ["button:has-text('Add group')"],
  rls: ["button:has-text('Rule')"],
  "user-info": ["button:has-text('Reset my password')", "button:has-text('Edit user')"],
};

const lists = () =>
  Object.entries(LISTS).map(([name, path]) => ({ name, path, height: 1000, act: press(OPENERS[name] ?? []) }));

function press(selectors) {
  return async (page, settled) => {
    for (const [i, selector] of selectors.entries()) {
      const button = page.locator(selector).first();
      if (!(await button.isVisible().catch(() => false))) continue;
      await button.click({ timeout: 5000 }).catch(() => {});
      await settled(`-${i + 1}`);
      await page.keyboard.press("Escape");
    }
  };
}

// Presses each tab of a dashboard once, those within a tab after it.
async function everyTab(page, settled) {
  const pressed = new Set();
  for (;;) {
    const tabs = page.locator(".dashboard-component-tabs .ant-tabs-tab[data-node-key]:visible");
    const keys = await tabs.evaluateAll((all) =>
      all.map((tab) => [tab.dataset.nodeKey, tab.classList.contains("ant-tabs-tab-active")]),
    );
    for (const [key, active] of keys) if (active) pressed.add(key);
    const next = keys.find(([key]) => !pressed.has(key));
    if (!next) return;
    pressed.add(next[0]);
    await page.locator(`[data-node-key="${next[0]}"]:visible`).first().click();
    await settled(`-${next[0]}`);
  }
}

async function ids(api, resource) {
  const found = [];
  for (let page = 0; ; page += 1) {
    const { result } = await api(`/api/v1/${resource}/?q=(columns:!(id),page:${page},page_size:100)`);
    found.push(...result.map((row) => row.id));
    if (result.length < 100) return found.sort((a, b) => a - b);
  }
}

// `api` reads a JSON answer as the visitor; a page that `asks` is not there before a chart's data are.
export async function visits(kind, api) {
  if (kind === "lists") return lists();
  if (kind === "dashboards") {
    return (await ids(api, "dashboard")).map((id) => ({
      name: `dashboard-${id}`,
      path: `/superset/dashboard/${id}/`,
      height: 4200,
      act: everyTab,
    }));
  }
  if (kind === "explore") {
    return (await ids(api, "chart")).map((id) => ({
      name: `explore-${id}`,
      path: `/explore/?slice_id=${id}`,
      height: 900,
      asks: true,
    }));
  }
  throw new Error(`no pages of kind ${kind}: lists, dashboards or explore`);
}
