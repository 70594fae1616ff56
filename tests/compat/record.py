#!/usr/bin/env python3
"""Records what the original Superset 6.0.0 answers on liteset's first-start installation, into answers.jsonl.

    record.py --venv DIR                    starts the original of that virtual environment (it needs gunicorn)
    record.py --prepare DIR                 only makes the installation in DIR and prints its URI and SECRET_KEY …
    record.py --home DIR/home --base URL    … for an original that somebody else starts on it
    record.py … WORD …                      only cases that are new or changed, or whose name contains one of the words

The original is to run with the settings in ORIGINAL, on the same machine. liteset's debug binary must have been built.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import answers
import cases
import installation
import people

ORIGINAL = """
SECRET_KEY = {key!r}
SQLALCHEMY_DATABASE_URI = "sqlite:///{home}/superset.db?check_same_thread=false"
PREVENT_UNSAFE_DB_CONNECTIONS = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
"""
LARGEST = 60_000  # a longer answer says little more than a shorter one


def prepare(binary, folder=None):
    installed = installation.Installation(binary, folder)
    installation.furnish(installed.base)
    installed.stop()
    return installed


def start_original(venv, installed):
    """The original on the installation; (address, process)."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    config = installed.folder / "superset_config.py"
    config.write_text(ORIGINAL.format(key=installation.SETTINGS["SUPERSET_SECRET_KEY"], home=installed.home))
    environment = os.environ | {
        "SUPERSET_CONFIG_PATH": str(config),
        "FLASK_APP": "superset",
        "SUPERSET_HOME": str(installed.folder),
    }
    command = [
        pathlib.Path(venv) / "bin" / "gunicorn",
        "-w",
        "1",
        "-k",
        "gthread",
        "--threads",
        "2",
        "--timeout",
        "120",
        "-b",
        f"127.0.0.1:{port}",
        "superset.app:create_app()",
    ]
    log = open(installed.folder / "original.log", "w")
    process = subprocess.Popen(command, cwd=installed.folder, env=environment, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(base + "/health", timeout=5)
            return base, process
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.5)
    process.kill()
    sys.exit(f"the original did not start:\n{(installed.folder / 'original.log').read_text()[-2000:]}")


def question(case):
    return json.dumps({key: value for key, value in case.items() if key != "answer"}, sort_keys=True)


def record(base, home, words):
    by = people.People(base)
    names = answers.Names(base, home, by.ask)
    recorded = {question(case): case for case in answers.read()} if words else {}
    kept, seen, left = [], set(), []
    for case in cases.all_cases(by.ask):
        case = {key: value for key, value in case.items() if value not in ("", False) or key == "csrf"}
        if case["id"] in seen:
            sys.exit(f"two cases are called {case['id']}")
        seen.add(case["id"])
        if question(case) in recorded and not any(word in case["id"] for word in words):
            kept.append(recorded[question(case)])
            continue
        answer = by.ask(names.fill(case))
        written = case["method"] in ("PUT", "PATCH", "DELETE") and answer.status < 400 or answer.status == 201
        case["answer"] = answers.keep(answer, case, names)
        size = len(json.dumps(case["answer"]))
        if written or answer.status >= 500 or size > LARGEST:
            left.append(f"{answer.status} {size} {case['id']}" + (" CHANGES SOMETHING" if written else ""))
        else:
            kept.append(case)
    size = answers.write(kept)
    print(
        f"{len(kept)} answers, {size // 1000} kB; left out, because the original fails or says too much:",
        *left,
        sep="\n  ",
    )


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("words", nargs="*")
    options.add_argument("--binary", default=installation.binary(), help="liteset")
    options.add_argument("--venv")
    options.add_argument("--prepare")
    options.add_argument("--home")
    options.add_argument("--base")
    given = options.parse_args()
    if given.base and given.home:
        return record(given.base, given.home, given.words)
    if given.prepare:
        installed = prepare(given.binary, given.prepare)
        return print(ORIGINAL.format(key=installation.SETTINGS["SUPERSET_SECRET_KEY"], home=installed.home))
    if not given.venv:
        options.error("--venv, or --prepare, or --home and --base")
    installed = prepare(given.binary)
    try:
        base, process = start_original(given.venv, installed)
        try:
            record(base, installed.home, given.words)
        finally:
            process.terminate()
            process.wait(60)
    finally:
        installed.remove()


if __name__ == "__main__":
    main()
