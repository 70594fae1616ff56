// A fresh installation of liteset with its own example content, on a free port, in a folder that is thrown away.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const PASSWORD = "browser-tests-only";

// what is off by default and the tests look at
const SETTINGS = {
  SUPERSET_FEATURE_TAGGING_SYSTEM: "true",
  LITESET_LANGUAGES: JSON.stringify({ en: { flag: "us", name: "English" }, de: { flag: "de", name: "German" } }),
};

function binary() {
  const targets = [
    process.env.LITESET_BIN,
    join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/liteset"),
  ];
  const found = targets.find((path) => path && existsSync(path));
  if (!found) throw new Error(`no liteset at ${targets.filter(Boolean).join(" or ")}: cargo build first`);
  return found;
}

// The address in the line of the log that says that the server listens.
function listening(log) {
  return readFileSync(log, "utf8").match(/^\{.*"listening","address":"(http:[^"]+)".*\}$/m)?.[1];
}

export async function start(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "liteset-browser-"));
  const log = join(folder, "log");
  const out = openSync(log, "w");
  const child = spawn(binary(), ["run", "--home", join(folder, "home"), "--port", "0", "--admin-password", PASSWORD], {
    stdio: ["ignore", out, out],
    env: { ...process.env, ...SETTINGS, ...settings },
  });
  const stop = () =>
    new Promise((done) => {
      const remove = () => {
        rmSync(folder, { recursive: true, force: true });
        done();
      };
      if (child.exitCode !== null) return remove();
      child.once("exit", remove);
      child.kill("SIGKILL");
    });
  for (let i = 0; i < 600; i += 1) {
    if (child.exitCode !== null) break;
    const base = listening(log);
    if (base) return { base, stop };
    await new Promise((r) => setTimeout(r, 100));
  }
  const said = readFileSync(log, "utf8").slice(-2000);
  await stop();
  throw new Error(`liteset did not start:\n${said}`);
}
