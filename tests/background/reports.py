#!/usr/bin/env python3
"""Runs the recorded alerts and reports of ../shared/compat/background and holds the number that agree to its floors.

    python3 tests/background/reports.py                     both fixtures, compare with tests/background/floors.json
    python3 tests/background/reports.py --only '^op-'       cases whose id matches; no floors
    python3 tests/background/reports.py --backend lite --pictures

Each case is put into the restored fixture, `liteset report run ID` executes it against a mail server and a Slack of
our own, and what it wrote and sent becomes a line for `check_background.py`. Cases with pictures need Chromium.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

from sinks import Mail, Slack

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
TRUTH = SHARED / "compat" / "background"
FLOORS = pathlib.Path(__file__).with_name("floors.json")
sys.path.insert(0, str(TRUTH))

FLAGS = {"ALERT_REPORTS": True, "ALERT_REPORT_TABS": True, "ALERTS_ATTACH_REPORTS": True}
FLAGS |= {"ENABLE_TEMPLATE_PROCESSING": True}
DEFAULTS = {
    "description": "What this is about",
    "active": True,
    "crontab": "0 9 * * *",
    "timezone": "UTC",
    "log_retention": 90,
    "grace_period": 14400,
    "working_timeout": 3600,
    "last_state": "Not triggered",
    "extra_json": "{}",
    "validator_config_json": "{}",
    "creation_method": "alerts_reports",
    "report_format": "PNG",
    "force_screenshot": False,
}
TIMES = ("last_eval_dttm", "created_on", "changed_on")
NOBODY_LISTENS = "http://127.0.0.1:9139/"


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


class Database:
    """The metadata database of a restored fixture."""

    def __init__(self, kind, name, folder):
        self.kind = kind
        if kind == "pg":
            subprocess.run(["bash", SHARED / "fixtures" / "restore.sh", "pg", name], check=True, capture_output=True)
            self.name, self.uri = name, f"postgresql://root:root@127.0.0.1:5432/{name}"
        else:
            target = [SHARED / "fixtures" / "restore.sh", "sqlite", str(folder)]
            subprocess.run(["bash", *target], check=True, capture_output=True)
            self.path, self.uri = folder / "superset.db", f"sqlite:///{folder}/superset.db?check_same_thread=false"

    def close(self):
        if self.kind == "pg":
            subprocess.run(["dropdb", "--if-exists", "--force", self.name], capture_output=True)

    def run(self, sql):
        if self.kind == "pg":
            command = ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", self.name]
            done = subprocess.run(command, input=sql, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr)
            return done.stdout
        with sqlite3.connect(self.path, timeout=30) as connection:
            connection.executescript(sql)

    def rows(self, sql):
        if self.kind == "pg":
            text = self.run(f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t")
            return json.loads(text)
        connection = sqlite3.connect(self.path, timeout=30)
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute(sql)]
        connection.close()
        return found

    def ago(self, seconds, utc=True):
        moment = time.gmtime(time.time() - seconds) if utc else time.localtime(time.time() - seconds)
        return time.strftime("%Y-%m-%d %H:%M:%S.000000", moment)


class Case:
    """One case in place."""

    def __init__(self, db, case):
        self.db = db
        self.users = {row["username"]: row["id"] for row in db.rows("SELECT id, username FROM ab_user")}
        statements = [f"DELETE FROM {table};" for table in self.tables()]
        statements.append("DELETE FROM key_value WHERE resource = 'dashboard_permalink';")
        row = {**DEFAULTS, **case.get("report", {})}
        before = db.ago(86400, utc=False)
        row |= {"id": 1, "created_on": before, "changed_on": before}
        row["created_by_fk"] = self.users.get(case.get("created_by"))
        row["changed_by_fk"] = self.users.get(case.get("changed_by"))
        ago = row.pop("last_eval_ago", case.get("last_eval_ago"))
        if ago is not None:
            row["last_eval_dttm"] = db.ago(ago)
        statements.append(self.insert("report_schedule", row))
        for i, recipient in enumerate(case.get("recipients", []), 1):
            config = recipient["recipient_config_json"]
            config = json.dumps(config) if isinstance(config, dict) else config
            fields = {"id": i, "type": recipient["type"], "recipient_config_json": config, "report_schedule_id": 1}
            statements.append(self.insert("report_recipient", fields))
        for i, owner in enumerate(case.get("owners", []), 1):
            fields = {"id": i, "user_id": self.users[owner], "report_schedule_id": 1}
            statements.append(self.insert("report_schedule_user", fields))
        for i, log in enumerate(case.get("logs", []), 1):
            moment = db.ago(log["end_ago"])
            fields = {"id": i, "scheduled_dttm": moment, "start_dttm": moment, "end_dttm": moment}
            fields |= {"state": log["state"], "error_message": log["error_message"], "report_schedule_id": 1}
            statements.append(self.insert("report_execution_log", fields))
        if db.kind == "pg":
            for table in self.tables():
                statements.append(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1000);")
        db.run("\n".join(statements))

    @staticmethod
    def tables():
        return ("report_execution_log", "report_recipient", "report_schedule_user", "report_schedule")

    @staticmethod
    def insert(table, fields):
        names, values = ", ".join(fields), ", ".join(map(literal, fields.values()))
        return f"INSERT INTO {table} ({names}) VALUES ({values});"

    def row(self, keys):
        """The schedule as the recording shows it."""
        found = self.db.rows("SELECT * FROM report_schedule WHERE id = 1")
        if not found:
            return None
        names = {id: name for name, id in self.users.items()}
        row = {k: found[0].get(k) for k in keys if k in found[0]}
        for key in ("active", "force_screenshot"):
            row[key] = None if row[key] is None else bool(row[key])
        row["last_value"] = number(row["last_value"])
        row |= {key: names.get(found[0][key + "_fk"]) for key in ("created_by", "changed_by")}
        sql = "SELECT type, recipient_config_json FROM report_recipient ORDER BY id"
        row["recipients"] = self.db.rows(sql)
        sql = "SELECT u.username FROM report_schedule_user o JOIN ab_user u ON u.id = o.user_id ORDER BY o.id"
        row["owners"] = [owner["username"] for owner in self.db.rows(sql)]
        return row

    def last(self, table):
        return self.db.rows(f"SELECT coalesce(max(id), 0) AS id FROM {table}")[0]["id"]

    def logs(self, after, began):
        found = self.db.rows(f"SELECT * FROM report_execution_log WHERE id > {after} ORDER BY id")
        start = found[0]["start_dttm"] if found else None
        logs = []
        for log in found:
            log = {k: log[k] for k in LOG}
            log["scheduled_dttm"] = str(log["scheduled_dttm"]).replace(" ", "T").split(".")[0]
            if log["start_dttm"] == start and moment(start) >= began:
                log["start_dttm"] = "<start>"
            log["end_dttm"] = "<now>" if moment(log["end_dttm"]) >= began else log["end_dttm"]
            log["value"] = number(log["value"])
            log["error_message"] = masked(log["error_message"])
            log["uuid"] = "<execution id>" if log["uuid"] else None
            logs.append(log)
        return logs

    def links(self, after):
        names = {id: name for name, id in self.users.items()}
        value = "convert_from(value, 'UTF8') AS value" if self.db.kind == "pg" else "value"
        sql = f"SELECT resource, {value}, created_by_fk, expires_on FROM key_value WHERE id > {after} AND resource = "
        found = self.db.rows(sql + "'dashboard_permalink' ORDER BY id")
        return [
            {
                "resource": link["resource"],
                "value": json.loads(link["value"]),
                "created_by": names.get(link["created_by_fk"]),
                "expires_on": link["expires_on"] is not None,
            }
            for link in found
        ]


LOG = ("scheduled_dttm", "start_dttm", "end_dttm", "value", "value_row_json", "state", "error_message", "uuid")


def moment(text):
    return str(text).replace("T", " ")[:19]


def number(value):
    if isinstance(value, str):
        return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(value, value)
    return float(value) if isinstance(value, int) else value


def masked(text):
    return text and re.sub(r"127\.0\.0\.1:\d+", "<web server>", text)


def changed(before, after):
    def shown(key, value, other):
        if key in TIMES and value is not None:
            return "<before>" if other else "<now>"
        return value

    keys = before or {}
    differ = [k for k in keys if before[k] != after[k]]
    return {k: [shown(k, before[k], True), shown(k, after[k], False)] for k in differ}


class Runner:
    def __init__(self, args, kind, folder):
        self.args, self.folder = args, folder
        self.db = Database(kind, f"{args.name}_{kind}", folder)
        self.mail, self.slack, self.server = Mail(), Slack(), None
        # a port that nobody listens on
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.closed_port = unused.getsockname()[1]

    def close(self):
        if self.server:
            self.server.terminate()
            self.server.wait()
        self.db.close()

    def config(self, case, base=None):
        down = case.get("smtp") == "down"
        values = {
            "SECRET_KEY": (SHARED / "fixtures" / "SECRET_KEY").read_text().strip(),
            "SQLALCHEMY_DATABASE_URI": self.db.uri,
            "SQLALCHEMY_EXAMPLES_URI": self.db.uri,
            "PREVENT_UNSAFE_DB_CONNECTIONS": False,
            "TALISMAN_ENABLED": False,
            "RATELIMIT_ENABLED": False,
            "FEATURE_FLAGS": {**FLAGS, **(case.get("flags") or {})},
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self.closed_port if down else self.mail.port,
            "SMTP_STARTTLS": False,
            "SMTP_SSL": False,
            "SMTP_USER": "",
            "SMTP_PASSWORD": "",
            "SMTP_MAIL_FROM": "superset@superset.example.com",
            "WEBDRIVER_BASEURL_USER_FRIENDLY": "https://superset.example.com/",
            "SCREENSHOT_LOCATE_WAIT": 30,
            "SCREENSHOT_SELENIUM_HEADSTART": 1,
            "SCREENSHOT_SELENIUM_ANIMATION_WAIT": 1,
            "SLACK_API_URL": self.slack.url,
            **({"WEBDRIVER_BASEURL": base} if base else {}),
        }
        for key, value in (case.get("config") or {}).items():
            values[key] = NOBODY_LISTENS if value == "http://<web server>/" else value
        path = self.folder / "superset_config.py"
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in values.items()))
        return path

    def serve(self):
        """A server for the pages of pictures; its address."""
        if not self.server:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            config = self.folder / "server_config.py"
            config.write_text(self.config({}).read_text())
            command = [self.args.binary, "run", "--config", config, "--home", self.folder / "home"]
            log = open(self.folder / "server.log", "w")
            self.server = subprocess.Popen([*command, "--port", str(self.port)], stdout=log, stderr=log)
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5)
                    break
                except OSError:
                    time.sleep(0.1)
        return f"http://127.0.0.1:{self.port}/"

    def case(self, golden):
        case = golden["case"]
        place = Case(self.db, case)
        self.mail.mode = case.get("smtp") or "ok"
        self.slack.answers = case.get("slack") or {}
        base = self.serve() if case.get("slow") else None
        config = self.config(case, base)
        query = case.get("chart_query_context")
        kept = self.db.rows("SELECT query_context FROM slices WHERE id = 182")[0]["query_context"]
        if query:
            text = query if isinstance(query, str) else json.dumps(query)
            self.db.run(f"UPDATE slices SET query_context = {literal(text)} WHERE id = 182;")
        try:
            runs = [self.one(place, golden, config, n) for n in range(case.get("runs", 1))]
            if not any(run["key_value"] for run in golden["runs"]):
                # an earlier case of the recording had made the link
                runs = [{**run, "key_value": []} for run in runs]
        finally:
            if query:
                self.db.run(f"UPDATE slices SET query_context = {literal(kept)} WHERE id = 182;")
        return {"id": golden["id"], "runs": runs}

    def one(self, place, golden, config, n):
        from check_background import normalise_mail

        keys = list(golden.get("row") or {})
        before, log, link = place.row(keys), place.last("report_execution_log"), place.last("key_value")
        self.mail.mails.clear()
        self.slack.calls.clear()
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        id = "999999" if golden["id"] == "unknown-id" else "1"
        command = [self.args.binary, "report", "run", id, "--json", "--scheduled", f"2024-05-{n + 1:02}T12:00:00Z"]
        command += ["--config", config, "--home", self.folder / "home"]
        env = {**os.environ, "LITESET_LOG": "info", "TZ": "UTC"}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=900)
        if not done.stdout.strip():
            raise RuntimeError(done.stderr[-2000:])
        raised = json.loads(done.stdout)["raised"]
        if raised:
            raised["message"] = raised["str"] = masked(raised["message"])
        mails = []
        for mail in self.mail.mails:
            # ours: how a mail that came twice is told
            head, body = mail["data"].split(b"\r\n\r\n", 1)
            due = f"202405{n + 1:02}T120000Z".encode()
            stripped = re.sub(rb"\r\nMessage-ID: <report-\d+-%s-[\w-]+@[\w.]+>" % due, b"", head)
            data = stripped + b"\r\n\r\n" + body
            mails.append(json.loads(masked(json.dumps(normalise_mail(data, mail["from"], mail["to"])))))
        return {
            "raised": raised,
            "changed": changed(before, place.row(keys)) if before else {},
            "logs": place.logs(log, began),
            "key_value": place.links(link),
            "mails": mails,
            "slack": json.loads(masked(json.dumps(self.slack.calls))),
            "sleeps": done.stderr.count("the query of an alert is tried again"),
        }


def compare(case, line, args):
    """The id, if the runs differ."""
    from check_background import LENIENT, diff

    skip = LENIENT if args.lenient or case["case"].get("slow") else ()
    differences = diff(case["runs"], line["runs"], skip=skip)
    if args.verbose:
        print("differs" if differences else "agrees", case["id"], flush=True)
        for path, want, got in differences[:6]:
            print(f"   {path}: recorded={short(want)} ours={short(got)}", flush=True)
    return [case["id"]] if differences else []


def short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 300 else text[:300] + "…"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=["pg", "lite", "both"], default="both")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--binary", default=target / "debug" / "liteset")
    parser.add_argument("--cases", help="another recording")
    parser.add_argument("--only", help="ids that match")
    parser.add_argument("--pictures", action="store_true", help="also the cases that need Chromium")
    parser.add_argument("--lenient", action="store_true")
    parser.add_argument("--verbose", "-v", action="store_true")
    parser.add_argument("--raise", action="store_true", dest="raised", help="write the counts into the floors")
    parser.add_argument("--out", help="a folder for PG.jsonl and LITE.jsonl")
    parser.add_argument("--name", default="liteset_background", help="beginning of the database's name")
    args = parser.parse_args()
    from check_background import lines

    floors = json.loads(FLOORS.read_text()) if FLOORS.exists() else {}
    missed = False
    for kind in ["pg", "lite"] if args.backend == "both" else [args.backend]:
        golden = lines(args.cases or str(TRUTH / "reports" / f"{kind}.jsonl.gz"))
        golden = [case for case in golden if not case.get("hidden") or args.cases]
        golden = [case for case in golden if not args.only or re.search(args.only, case["id"])]
        golden = [case for case in golden if args.pictures or not case["case"].get("slow")]
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"liteset-background-{kind}-"))
        runner = Runner(args, kind, folder)
        mine, failed = [], []
        try:
            for case in golden:
                mine.append(runner.case(case))
                failed += compare(case, mine[-1], args)
        finally:
            runner.close()
        shutil.rmtree(folder)
        if args.out:
            out = pathlib.Path(args.out) / f"{kind}.jsonl"
            out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in mine))
        count = len(golden) - len(failed)
        print(f"{kind}: {count} of {len(golden)} agree; not: {' '.join(failed) or 'none'}")
        if args.raised:
            floors[kind] = max(count, floors.get(kind, 0))
        elif not args.only and not args.cases and not args.pictures and count < floors.get(kind, 0):
            print(f"{kind}: the floor is {floors[kind]}")
            missed = True
    if args.raised:
        FLOORS.write_text(json.dumps(floors, indent=1) + "\n")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
