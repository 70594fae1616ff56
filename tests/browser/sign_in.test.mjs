// Signing in as a person does it: through a provider of OpenID Connect, a directory, and a proxy that names people.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, Person } from "./person.mjs";
import { start } from "./server.mjs";

const SERVERS = join(dirname(fileURLToPath(import.meta.url)), "../servers");
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

// One of tests/servers: its address once it listens; it ends with its standard input.
async function beside(script, scheme) {
  const child = spawn("python3", [join(SERVERS, script)], { stdio: ["pipe", "pipe", "inherit"] });
  ends.push(() => child.stdin.end());
  for await (const line of createInterface({ input: child.stdout })) return `${scheme}://127.0.0.1:${line.trim()}`;
  throw new Error(`${script} did not start`);
}

async function arrive(settings) {
  const server = await start({ LITESET_RATELIMIT_ENABLED: "false", ...settings });
  ends.push(server.stop);
  const person = await Person.enter(server.base);
  ends.push(() => person.leave());
  return { base: server.base, person, page: person.page };
}

const at = (page, path) => page.waitForURL((url) => url.pathname === path, { timeout: PATIENCE / 2 });

// As whom the frontend itself believes to be signed in.
const who = (page) =>
  page.evaluate(() => JSON.parse(document.getElementById("app").dataset.bootstrap).user?.username ?? null);

async function sign_out(page) {
  await page.locator("text=Settings").first().hover();
  await page.click("a[href$='/logout/']");
}

test("through a provider", { timeout: PATIENCE }, async () => {
  const issuer = await beside("openid_provider.py", "http");
  const { base, person, page } = await arrive({
    LITESET_OIDC_ISSUER: issuer,
    LITESET_OIDC_CLIENT_ID: "liteset",
    LITESET_OIDC_CLIENT_SECRET: "hush",
    LITESET_OIDC_ROLES_CLAIM: "realm_access.roles",
  });
  const name = (user) => fetch(`${issuer}/_person`, { method: "PUT", body: user });
  // a link that somebody sent leads there, past the page of the log-in
  await page.goto(`${base}/chart/list/`);
  await at(page, "/login/");
  assert.equal(await page.locator("#password").count(), 0, "no field for a password where there is none");
  await page.locator("a[href*='/login/oidc'], button:has-text('oidc')").first().click();
  await at(page, "/chart/list/");
  await page.waitForSelector("text=Rating");
  assert.equal(await who(page), "alice");
  await sign_out(page);
  await at(page, "/login/");
  assert.equal(await page.evaluate(async () => (await fetch("/api/v1/me/")).status), 401);
  // whose address is another person's: nobody, and words
  await name("taken");
  await page.locator("a[href*='/login/oidc'], button:has-text('oidc')").first().click();
  await page.waitForSelector("text=Invalid login. Please try again.");
  assert.equal(new URL(page.url()).pathname, "/login/");
  await name("admin");
  await page.locator("a[href*='/login/oidc'], button:has-text('oidc')").first().click();
  await page.waitForSelector("text=Bakery");
  assert.equal(await who(page), "admin");
  assert.deepEqual(person.complaints.filter((said) => !/^401 GET \/api\/v1\/me\/$/.test(said)), []);
});

test("through a directory", { timeout: PATIENCE }, async () => {
  const directory = await beside("ldap_directory.py", "ldap");
  const { base, person, page } = await arrive({
    LITESET_AUTH_TYPE: "2",
    LITESET_AUTH_LDAP_SERVER: directory,
    LITESET_AUTH_LDAP_BIND_USER: "cn=reader",
    LITESET_AUTH_LDAP_BIND_PASSWORD: "reads",
    LITESET_AUTH_LDAP_SEARCH: "ou=people",
    LITESET_AUTH_USER_REGISTRATION: "true",
    LITESET_AUTH_USER_REGISTRATION_ROLE: "Gamma",
    LITESET_AUTH_ROLES_MAPPING: JSON.stringify({ "cn=analysts,ou=groups": ["Alpha"] }),
  });
  await page.goto(`${base}/dashboard/list/`);
  await at(page, "/login/");
  for (const wrong of ["other", "*", "Alice-pass"]) {
    await page.goto(`${base}/login/?next=/dashboard/list/`);
    await page.fill("#username", "alice");
    await page.fill("#password", wrong);
    await page.click("button[type=submit]");
    await page.waitForSelector("text=Invalid login. Please try again.");
  }
  await page.fill("#username", "alice");
  await page.fill("#password", "alice-pass");
  await page.click("button[type=submit]");
  await page.waitForFunction(() => !location.pathname.startsWith("/login"));
  await page.goto(`${base}/dashboard/list/`);
  await page.waitForSelector("text=Bakery");
  assert.equal(await who(page), "alice");
  // who may not touch what is the administrator's
  await page.goto(`${base}/users/`);
  await page.waitForLoadState("networkidle");
  assert.equal(await page.locator("text=reader").count(), 0);
  person.complaints.length = 0;
  await page.goto(`${base}/superset/welcome/`);
  await sign_out(page);
  await at(page, "/login/");
  assert.deepEqual(person.complaints, []);
});

test("named by a proxy", { timeout: PATIENCE }, async () => {
  const { base, person, page } = await arrive({
    LITESET_AUTH_TYPE: "3",
    LITESET_AUTH_REMOTE_USER_ENV_VAR: "HTTP_X_PROXY_USER",
    LITESET_AUTH_REMOTE_USER_TRUSTED_PROXIES: "127.0.0.0/8",
    LITESET_AUTH_USER_REGISTRATION: "true",
    LITESET_AUTH_USER_REGISTRATION_ROLE: "Alpha",
  });
  await page.goto(`${base}/superset/welcome/`);
  await at(page, "/login/");
  assert.equal(await who(page), null, "without the header nobody is named");
  await page.context().setExtraHTTPHeaders({ "X-Proxy-User": "carol" });
  await page.goto(`${base}/login/`);
  await page.waitForSelector("text=Bakery");
  assert.equal(await who(page), "carol");
  assert.deepEqual(person.complaints, []);
});
