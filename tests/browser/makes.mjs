// People and their rights made in their lists, and a dashboard in somebody else's page.
import { createServer } from "node:http";
import { open } from "./person.mjs";

const modal = ".ant-modal:visible";
const answered = (page, method, path) =>
  page.waitForResponse((response) => response.request().method() === method && path.test(response.url()));
const ok = async (waiting) => {
  const response = await waiting;
  if (!response.ok()) throw new Error(`${response.status()} ${response.url()}: ${await response.text()}`);
  return response.json();
};

// What a select offers, after typing to find it.
async function select(page, box, text) {
  await box.click();
  await page.keyboard.type(text);
  const option = page.locator(".ant-select-item-option:visible", { hasText: text }).first();
  await option.click();
}

async function inModal(page, button) {
  await page.locator(`button:has-text('${button}')`).first().click();
  await page.waitForSelector(modal);
  return page.locator(modal);
}

export const makes = {
  "makes a role": async ({ page, base }) => {
    await open(page, `${base}/roles/`);
    const form = await inModal(page, "Role");
    await form.locator("input[type=text]").first().fill("Bakers");
    const saved = answered(page, "POST", /security\/roles/);
    await form.locator("button:has-text('Save'):enabled").click();
    await ok(saved);
    await page.waitForSelector("td:has-text('Bakers')");
  },
  "makes a group": async ({ page, base }) => {
    await open(page, `${base}/list_groups/`);
    const form = await inModal(page, "Group");
    await form.locator("input[type=text]").first().fill("night-shift");
    const saved = answered(page, "POST", /security\/groups/);
    await form.locator("button:has-text('Save'):enabled").click();
    await ok(saved);
    await page.waitForSelector("td:has-text('night-shift')");
  },
  "makes a user": async ({ page, base }) => {
    await open(page, `${base}/users/`);
    const form = await inModal(page, "User");
    const fields = { first_name: "Berta", last_name: "Brot", username: "berta", email: "berta@example.org" };
    for (const [name, text] of Object.entries(fields))
      await form.locator(`input[name=${name}], #${name}`).first().fill(text);
    for (const box of await form.locator("input[type=password]").all()) await box.fill("a long enough passphrase");
    await select(page, form.locator(".ant-select").first(), "Gamma");
    await page.keyboard.press("Escape");
    const saved = answered(page, "POST", /security\/users/);
    await form.locator("button:has-text('Save'):enabled").click();
    await ok(saved);
    await page.waitForSelector("td:has-text('berta')");
  },
  "makes a row-level rule": async ({ page, base }) => {
    await open(page, `${base}/rowlevelsecurity/list/`);
    const form = await inModal(page, "Rule");
    await form.locator("input[name=name]").fill("Own branch");
    const selects = form.locator(".ant-select");
    for (const [i, text] of [[2, "deliveries"], [1, "Gamma"]]) {
      await select(page, selects.nth((await selects.count()) - i), text);
      await form.locator(".ant-modal-title, .ant-modal-header").first().click();
    }
    await form.locator("textarea[name=clause], input[name=clause], textarea").first().fill("1 = 1");
    const saved = answered(page, "POST", /rowlevelsecurity/);
    await form.locator("button:has-text('Add'):enabled").click();
    await ok(saved);
    await page.waitForSelector("td:has-text('Own branch')");
  },
  "shows a dashboard in a page of another origin": async ({ page, base }, slug = "bakery") => {
    const api = page.request;
    const csrf = (await (await api.get(`${base}/api/v1/security/csrf_token/`)).json()).result;
    const headers = { "X-CSRFToken": csrf, Referer: base };
    const post = async (path, data) => {
      const answer = await api.post(base + path, { data, headers });
      if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
      return answer.json();
    };
    const { result } = await post(`/api/v1/dashboard/${slug}/embedded`, { allowed_domains: [] });
    const resources = [{ type: "dashboard", id: result.uuid }];
    const { token } = await post("/api/v1/security/guest_token/", {
      resources,
      rls: [],
      user: { username: "passer-by" },
    });
    // the handshake of @superset-ui/embedded-sdk: a channel is handed in, the token goes over it
    const html = `<h1>Somebody else's page</h1>
      <iframe id="f" sandbox="allow-same-origin allow-scripts allow-forms" width="1300" height="3000"
        src="${base}/embedded/${result.uuid}?uiConfig=1"></iframe>
      <script>
        const frame = document.getElementById("f");
        frame.addEventListener("load", () => {
          const channel = new MessageChannel();
          const hello = { type: "__embedded_comms__", handshake: "port transfer" };
          frame.contentWindow.postMessage(hello, "${base}", [channel.port2]);
          channel.port1.start();
          const args = { guestToken: "${token}" };
          channel.port1.postMessage({ switchboardAction: "emit", method: "guestToken", args });
        });
      </script>`;
    const host = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(html));
    await new Promise((done) => host.listen(0, "127.0.0.1", done));
    try {
      await open(page, `http://localhost:${host.address().port}/`);
      const frame = page.frameLocator("#f");
      await frame.locator(".dashboard-component-chart-holder .slice_container td").first().waitFor();
    } finally {
      host.close();
    }
  },
};
