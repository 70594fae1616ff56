// Signing in on the frontend's own pages: through a provider of OpenID Connect and back, out again, refused; with a
// directory's password; and as somebody new who confirms an address.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, test } from "node:test";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { mailServer } from "./mail.mjs";
import { PATIENCE, Person, settled } from "./person.mjs";
import { start } from "./server.mjs";

const SERVERS = join(dirname(fileURLToPath(import.meta.url)), "../servers");
const ends = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});

// A server of tests/servers, which says its port first and ends with its input.
async function helper(name) {
  const child = spawn("python3", [join(SERVERS, `${name}.py`)], { stdio: ["pipe", "pipe", "inherit"] });
  ends.push(() => child.stdin.end());
  const port = await new Promise((said, failed) => {
    child.stdout.once("data", (bytes) => said(Number(bytes.toString())));
    child.once("exit", () => failed(new Error(`${name} ended`)));
  });
  return { port, base: `http://127.0.0.1:${port}` };
}

async function arrive(settings) {
  const server = await start({ LITESET_RATELIMIT_ENABLED: "false", LITESET_AUTH_RATE_LIMITED: "false", ...settings });
  ends.push(server.stop);
  const person = await Person.enter(server.base);
  ends.push(() => person.leave());
  await person.page.setViewportSize({ width: 1400, height: 1000 });
  return { server, person, page: person.page };
}

// Who is in, asked without the page.
async function who(page, base) {
  const answer = await page.request.get(`${base}/api/v1/me/roles/`, { maxRedirects: 0 });
  if (!answer.ok()) return null;
  const { username, roles } = (await answer.json()).result;
  return `${username}: ${Object.keys(roles).sort()}`;
}

const isAt = (base, path) => (url) => url.origin === base && url.pathname === path;
const typed = async (page, name, password) => {
  await page.fill("#username", name);
  await page.fill("#password", password);
  await page.click("button[type=submit]");
};

test("through a provider and out again", { timeout: PATIENCE }, async () => {
  const provider = await helper("openid_provider");
  const metadata = `${provider.base}/.well-known/openid-configuration`;
  const { server, person, page } = await arrive({
    LITESET_OIDC_ISSUER: provider.base,
    LITESET_OIDC_CLIENT_ID: "liteset",
    LITESET_OIDC_CLIENT_SECRET: "hush",
    LITESET_OIDC_ROLES_CLAIM: "realm_access.roles",
    LITESET_OIDC_LOGOUT: "true",
    LITESET_OAUTH_PROVIDERS: JSON.stringify([
      {
        name: "keycloak",
        icon: "fa-key",
        token_key: "access_token",
        remote_app: { client_id: "x", client_secret: "x", server_metadata_url: metadata, client_kwargs: {} },
      },
    ]),
  });
  const asked = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin === provider.base && url.pathname === "/auth") asked.push(url.searchParams);
  });
  await page.goto(`${server.base}/chart/list/`);
  await page.waitForURL(isAt(server.base, "/login/"));
  await page.waitForSelector("a:has-text('Sign in with Keycloak')");
  assert.equal(await page.locator("#password").count(), 0, "no form for passwords");
  await person.quiet("sign in providers");
  await page.click("a:has-text('Sign in with Oidc')");
  await page.waitForURL(isAt(server.base, "/chart/list/"));
  await page.waitForSelector("text=Revenue by month");
  await person.quiet("sign in by provider");
  const [way] = asked;
  assert.equal(way.get("code_challenge_method"), "S256");
  for (const name of ["code_challenge", "nonce", "state"]) assert.ok(way.get(name)?.length >= 20, name);
  assert.equal(way.get("redirect_uri"), `${server.base}/oauth-authorized/oidc`);
  assert.equal(await who(page, server.base), "alice: Alpha,Public");
  assert.deepEqual(person.complaints.splice(0), []);

  await page.hover(".ant-menu-submenu-title:has-text('Settings')");
  const left = page.waitForRequest((request) => request.url().startsWith(`${provider.base}/out`));
  await page.click("a:visible:has-text('Logout')");
  const address = new URL((await left).url());
  assert.equal(address.searchParams.get("post_logout_redirect_uri"), `${server.base}/login/`);
  await page.waitForURL(isAt(server.base, "/login/"));
  assert.equal(await who(page, server.base), null);

  // a token of another issuer
  const lie = JSON.stringify({ claims: { iss: "https://attacker.example" } });
  await fetch(`${provider.base}/_lie`, { method: "PUT", body: lie });
  await page.click("a:has-text('Sign in with Oidc')");
  await page.waitForSelector("text=The request to sign in was denied.");
  assert.ok(isAt(server.base, "/login/")(new URL(page.url())), page.url());
  await person.quiet("sign in refused");
  assert.equal(await who(page, server.base), null);
  assert.equal(asked.length, 2);
  assert.notEqual(asked[0].get("nonce"), asked[1].get("nonce"));
  assert.deepEqual(person.complaints.splice(0), []);
});

test("with a directory's password", { timeout: PATIENCE }, async () => {
  const directory = await helper("ldap_directory");
  const { server, person, page } = await arrive({
    LITESET_AUTH_TYPE: "2",
    LITESET_AUTH_LDAP_SERVER: `ldap://127.0.0.1:${directory.port}`,
    LITESET_AUTH_LDAP_BIND_USER: "cn=reader",
    LITESET_AUTH_LDAP_BIND_PASSWORD: "reads",
    LITESET_AUTH_LDAP_SEARCH: "ou=people",
    LITESET_AUTH_USER_REGISTRATION: "true",
    LITESET_AUTH_USER_REGISTRATION_ROLE: "Gamma",
    LITESET_AUTH_ROLES_MAPPING: JSON.stringify({ "cn=analysts,ou=groups": ["Alpha"] }),
  });
  await page.goto(`${server.base}/login/?next=%2Fchart%2Flist%2F`);
  await typed(page, "alice", "wrong");
  await page.waitForSelector("text=Invalid login. Please try again.");
  await person.quiet("sign in directory refused");
  assert.equal(await who(page, server.base), null);
  await typed(page, "alice", "alice-pass");
  await page.waitForURL(isAt(server.base, "/chart/list/"));
  await settled(page);
  assert.equal(await who(page, server.base), "alice: Alpha,Gamma");
  await person.quiet("sign in by directory");
  assert.deepEqual(person.complaints.splice(0), []);
});

test("somebody new confirms an address", { timeout: PATIENCE }, async () => {
  const mail = await mailServer();
  ends.push(mail.close);
  const { server, person, page } = await arrive({
    LITESET_AUTH_USER_REGISTRATION: "true",
    LITESET_AUTH_USER_REGISTRATION_ROLE: "Gamma",
    LITESET_MAIL_SERVER: "127.0.0.1",
    LITESET_MAIL_PORT: String(mail.port),
    LITESET_MAIL_DEFAULT_SENDER: "bi@example.org",
  });
  await page.goto(`${server.base}/login/`);
  await page.click("a:has-text('Register')");
  await page.waitForURL(isAt(server.base, "/register/"));
  const fields = { username: "newbie", firstName: "New", lastName: "Bie", email: "newbie@example.net" };
  for (const [id, text] of Object.entries(fields)) await page.fill(`#${id}`, text);
  await page.fill("#password", "first try");
  await page.fill("#confirmPassword", "second try");
  await page.waitForSelector("text=The two passwords that you entered do not match!");
  await page.fill("#confirmPassword", "first try");
  await person.quiet("sign in register");
  await page.click("button[type=submit]:has-text('Register')");
  await page.waitForSelector("text=Registration sent to your email");
  await person.quiet("sign in registered");
  assert.equal(mail.mails.length, 1);
  assert.ok(mail.mails[0].headers.to.includes("newbie@example.net"));
  const html = mail.mails[0].parts.map(({ content }) => content.toString()).join("");
  const link = /href="([^"]+)"/.exec(html)[1];
  assert.ok(link.startsWith(`${server.base}/register/activation/`), link);
  // who has not followed it is nobody
  await page.goto(`${server.base}/login/`);
  await typed(page, "newbie", "first try");
  await page.waitForSelector("text=Invalid login. Please try again.");
  await page.goto(link);
  await page.waitForSelector("text=Registration successful");
  await person.quiet("sign in activated");
  await page.click("a:has-text('Login')");
  await page.waitForURL(isAt(server.base, "/login/"));
  await typed(page, "newbie", "first try");
  await page.waitForURL(isAt(server.base, "/superset/welcome/"));
  assert.equal(await who(page, server.base), "newbie: Gamma");
  await person.quiet("sign in newcomer");
  assert.deepEqual(person.complaints.splice(0), []);
});
