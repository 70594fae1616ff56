#!/usr/bin/env python3
"""Replays the recorded sign-ins of ../shared/signin against liteset and holds the counts to their floors.

    sign_in.py                  every configuration that liteset can have, compared with tests/sign_in_floors.json
    sign_in.py NAME …           these configurations, with what differs
    sign_in.py --quick          without the cases that wait (limits)
    sign_in.py --raise          writes the counts of this run into the floors (they only rise)
    sign_in.py --skip KIND      without a kind: db, ldap, oauth, remote

Starts the directory and the provider (providers.sh), and a liteset for each configuration.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
SIGNIN = SHARED / "signin"
FLOORS = ROOT / "tests" / "sign_in_floors.json"
# the class puts a page in front that liteset has; whom it believes is a key of its own
REMOTE = "AUTH_REMOTE_USER_TRUSTED_PROXIES = ['127.0.0.1']\n"
WAITING = {"db_limits"}


def binary():
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    return os.environ.get("LITESET", f"{target}/debug/liteset")


def configuration(name, folder):
    text = (SIGNIN / "configs" / f"{name}.py").read_text()
    if name in ("remote_works", "remote_known"):
        text = text.split("from flask_appbuilder.security.views")[0] + REMOTE
    if name == "remote_middleware":
        text += "LITESET_ACCEPT_IGNORED = ['ADDITIONAL_MIDDLEWARE']\n"
    key = (SHARED / "fixtures" / "SECRET_KEY").read_text().strip()
    head = f"SECRET_KEY = {key!r}\nSQLALCHEMY_DATABASE_URI = 'sqlite:///{folder}/superset.db?check_same_thread=false'\n"
    path = folder / "superset_config.py"
    path.write_text(head + text)
    return path


def check(name, fixture, only):
    """Passed and failed cases of a configuration, and what the checker says."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"liteset-signin-{name}-"))
    shutil.copy(fixture / "superset.db", folder)
    log = folder / "server.log"
    command = [binary(), "run", "--config", configuration(name, folder), "--home", folder / "home", "--port", "0"]
    with open(log, "w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        for _ in range(600):
            found = re.search(r'"listening","address":"([^"]+)"', log.read_text())
            if found or server.poll() is not None:
                break
            time.sleep(0.1)
        if not found:
            return None, log.read_text()[-1500:]
        command = [sys.executable, SIGNIN / "check_signin.py", "--base", found[1], "--config", name]
        command += ["--db", f"sqlite:{folder}/superset.db"] + (["--only", only] if only else [])
        done = subprocess.run(command, capture_output=True, text=True)
        counts = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
        return (int(counts[1]), int(counts[2])) if counts else None, done.stdout + done.stderr[-1500:]
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*")
    options.add_argument("--only", default="")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--raise", action="store_true", dest="lift")
    options.add_argument("--skip", action="append", default=[])
    given = options.parse_args()
    started = time.time()
    subprocess.run(["bash", SIGNIN / "providers.sh", "start"], check=True, stdout=subprocess.DEVNULL)
    fixture = pathlib.Path(tempfile.mkdtemp(prefix="liteset-signin-"))
    failed = False
    try:
        restore = ["bash", SHARED / "fixtures" / "restore.sh", "sqlite", fixture]
        subprocess.run(restore, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cases = [json.loads(line)["config"] for line in (SIGNIN / "cases.jsonl").read_text().splitlines()]
        floors = json.loads(FLOORS.read_text()) if FLOORS.exists() else {}
        kinds = {}
        for name in given.names or sorted(set(cases)):
            kind = name.partition("_")[0]
            total = cases.count(name)
            if kind in given.skip or (given.quick and name in WAITING):
                continue
            counts, said = check(name, fixture, given.only)
            passed = counts[0] if counts else 0
            kinds.setdefault(kind, [0, 0])
            kinds[kind][0] += passed
            kinds[kind][1] += total
            if not counts or counts[1] or given.names:
                print(f"== {name}: {passed} of {total}", said.strip(), sep="\n", flush=True)
            if not given.names and passed < floors.get(name, 0):
                failed = True
                print(f"   fewer than the floor of {floors[name]}")
            floors[name] = max(passed, floors.get(name, 0))
        if given.lift:
            FLOORS.write_text(json.dumps(floors, indent=1, sort_keys=True) + "\n")
    finally:
        shutil.rmtree(fixture, ignore_errors=True)
        subprocess.run(["bash", SIGNIN / "providers.sh", "stop"], stdout=subprocess.DEVNULL)
    counted = ", ".join(f"{kind} {passed} of {total}" for kind, (passed, total) in kinds.items())
    print(f"recorded sign-ins of Superset 6.0.0: {counted}; {time.time() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
