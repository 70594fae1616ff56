#!/usr/bin/env python3
"""Alerts among servers that misbehave: what each run must end with, and that the next one is unharmed.

    python3 tests/background/hostile.py                       all; fails when one ends otherwise
    python3 tests/background/hostile.py --only slack -v

Mail servers with TLS that nobody vouches for, that refuse the log-in, that are slow; Slack that limits, fails and
hangs; crontabs and time zones that make no sense beside one that is due. Mail servers that refuse, hang, and leave
are cases of `tests/api/report.rs`; a Chromium that is missing, dies, hangs, or waits for ever is one of
`src/infra/browser/tests.rs` and `tests/api/thumbnails.rs`.

Needs a built binary, ../shared (the fixture), and openssl.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import sinks
from reports import ROOT, SHARED, Case, Database, literal

ALERT = {"type": "Alert", "name": "hostile", "report_format": "CSV", "grace_period": 0, "working_timeout": 60}
ALERT |= {"validator_type": "operator", "validator_config_json": '{"op": ">", "threshold": 1}', "sql": "SELECT 2"}


class Mail:
    """A mail server: `tls` is `no`, `starttls` or `implicit`; `login` is `no`, `refused` or `taken`."""

    def __init__(self, context, tls="no", login="no", pause=0.0):
        self.context, self.tls, self.login, self.pause, self.mails = context, tls, login, pause, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.guarded, args=(connection,), daemon=True).start()

    def guarded(self, connection):
        try:
            self.talk(connection)
        except (OSError, ValueError):  # who has gone, or does not like the certificate
            pass

    def talk(self, connection):
        if self.tls == "implicit":
            connection = self.context.wrap_socket(connection, server_side=True)
        lines = connection.makefile("rb")

        def say(text):
            time.sleep(self.pause)
            connection.sendall(text.encode() + b"\r\n")

        say("220 sink")
        while line := lines.readline():
            verb = line.decode("latin1").upper().strip()
            if verb.startswith("EHLO"):
                can = ["sink"] + ["AUTH PLAIN LOGIN"] * (self.login != "no")
                can += ["STARTTLS"] * (self.tls == "starttls" and not isinstance(connection, ssl.SSLSocket))
                for word in can[:-1]:
                    say(f"250-{word}")
                say(f"250 {can[-1]}")
            elif verb.startswith("STARTTLS"):
                say("220 go on")
                connection = self.context.wrap_socket(connection, server_side=True)
                lines = connection.makefile("rb")
            elif verb.startswith("AUTH"):
                say("235 welcome" if self.login == "taken" else "535 5.7.8 who are you?")
            elif verb == "DATA":
                say("354 go on")
                data = b""
                while (part := lines.readline()) not in (b".\r\n", b""):
                    data += part
                self.mails.append(data)
                say("250 taken")
            elif verb == "QUIT":
                return say("221 bye")
            else:
                say("250 ok")


class Call(sinks.SlackCall):
    """`script` of the server: what is done with the next calls of `chat.postMessage`."""

    def do_POST(self):
        if self.path.endswith("/chat.postMessage") and self.server.script:
            step = self.server.script.pop(0)
            self.server.steps.append(step)
            if step == "hang":
                return time.sleep(300)
            status, after, body = {
                "limit": (429, "1", {"ok": False, "error": "ratelimited"}),
                "limit for ever": (429, "86400", {"ok": False, "error": "ratelimited"}),
                "fail": (500, None, {"ok": False, "error": "fatal_error"}),
            }[step]
            text = json.dumps(body).encode()
            self.send_response(status)
            if after:
                self.send_header("retry-after", after)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            return self.wfile.write(text)
        super().do_POST()


class Hostile:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.db = Database(args.backend, f"{args.name}_hostile", folder)
        pem = folder / "own.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        subprocess.run([*command, "-keyout", pem, "-out", pem], check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.failed = []

    def config(self, **more):
        values = {
            "SECRET_KEY": (SHARED / "fixtures" / "SECRET_KEY").read_text().strip(),
            "SQLALCHEMY_DATABASE_URI": self.db.uri,
            "PREVENT_UNSAFE_DB_CONNECTIONS": False,
            "TALISMAN_ENABLED": False,
            "FEATURE_FLAGS": {"ALERT_REPORTS": True},
            "SMTP_HOST": "127.0.0.1",
            "SMTP_STARTTLS": False,
            "SMTP_USER": "",
            "SMTP_PASSWORD": "",
            "SLACK_API_TOKEN": "xoxb-test",
            **more,
        }
        path = self.folder / "superset_config.py"
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in values.items()))
        return path

    def place(self, kind, target):
        report = ALERT | {"database_id": self.example_database()} | {"dashboard_id": self.dashboard()}
        config = {"target": target}
        Case(self.db, {"report": report, "owners": ["admin"], "created_by": "admin",
                       "recipients": [{"type": kind, "recipient_config_json": config}]})

    def example_database(self):
        return self.db.rows("SELECT min(id) AS id FROM dbs")[0]["id"]

    def dashboard(self):
        return self.db.rows("SELECT min(id) AS id FROM dashboards")[0]["id"]

    def run(self, config):
        command = [self.args.binary, "report", "run", "1", "--json", "--config", config]
        began = time.monotonic()
        done = subprocess.run([*command, "--home", self.folder / "home"], capture_output=True, text=True, timeout=600)
        rows = self.db.rows("SELECT state, error_message FROM report_execution_log ORDER BY id")
        if not done.stdout.strip():
            raise RuntimeError(done.stderr[-2000:])
        return [f"{row['state']}: {row['error_message'] or ''}" for row in rows], time.monotonic() - began

    def check(self, name, holds, seen):
        if self.args.verbose or not holds:
            print("ok" if holds else "FAILED", name, "" if holds and not self.args.verbose else seen, flush=True)
        if not holds:
            self.failed.append(name)

    def mail(self, name, words, settings, mails=None, **server):
        if not re.search(self.args.only, "mail " + name):
            return
        sink = Mail(self.context, **server)
        self.place("Email", "ann@example.com")
        log, seconds = self.run(self.config(SMTP_PORT=sink.port, **settings))
        holds = len(log) > 1 and re.search(words, log[1], re.S) is not None
        mails = mails if mails is not None else int(words.startswith("^Success"))
        self.check("mail " + name, holds and len(sink.mails) == mails, (log, f"{seconds:.0f} s", len(sink.mails)))

    def slack(self, name, words, script, sent, **settings):
        if not re.search(self.args.only, "slack " + name):
            return
        slack = sinks.Slack()
        slack.RequestHandlerClass = Call
        slack.script, slack.steps = list(script), []
        self.place("Slack", "#general")
        log, seconds = self.run(self.config(SLACK_API_URL=slack.url, **settings))
        posted = [call for call in slack.calls if call["method"] in ("chat.postMessage", "files.upload")]
        holds = len(log) > 1 and re.search(words, log[1], re.S) is not None
        what = (log, f"{seconds:.0f} s", slack.steps, [call["method"] for call in slack.calls])
        self.check("slack " + name, holds and len(posted) == sent and slack.steps == list(script), what)

    def mails(self):
        tls, strict = {"SMTP_STARTTLS": True}, {"SMTP_SSL_SERVER_AUTH": True}
        log_in = {"SMTP_USER": "ann", "SMTP_PASSWORD": "secret"}
        fine, unknown = "^Success: $", "^Error: .*([Cc]ertificate|UnknownIssuer)"
        self.mail("plain", fine, {})
        self.mail("starttls, own certificate", fine, tls, tls="starttls")
        self.mail("starttls, own certificate, checked", unknown, tls | strict, tls="starttls")
        self.mail("starttls, not offered", "^Error: STARTTLS extension not supported", tls)
        self.mail("implicit tls, own certificate", fine, {"SMTP_SSL": True}, tls="implicit")
        self.mail("implicit tls, own certificate, checked", unknown, {"SMTP_SSL": True} | strict, tls="implicit")
        self.mail("implicit tls at a plain server", "^Error: ", {"SMTP_SSL": True})
        self.mail("log-in", fine, log_in, login="taken")
        self.mail("log-in refused", r"^Error: \(535, b'5.7.8 who are you\?'\)", log_in, login="refused")
        self.mail("log-in not offered", "^Error: SMTP AUTH extension not supported", log_in)
        self.mail("slow", fine, {}, pause=1.0)

    def slacks(self):
        fine = "^Success: $"
        self.slack("plain", fine, [], 1)
        self.slack("limits twice", fine, ["limit", "limit"], 1)
        limited = "^Error: .*ratelimited"
        self.slack("limits without end", limited, ["limit"] * 3, 0)
        self.slack("limits for a day", limited, ["limit for ever"], 0)
        self.slack("fails", "^Error: .*(500|fatal_error)", ["fail"], 0)
        self.slack("hangs", "^Error: ", ["hang"], 0)

    def clock(self):
        """Crontabs and zones that make no sense, beside one that is due."""
        if not re.search(self.args.only, "clock"):
            return
        sink = Mail(self.context)
        self.place("Email", "ann@example.com")
        bad = {"never": "0 0 30 2 *", "each second": "* * * * * *", "words": "whenever", "empty": "",
               "out of range": "99 * * * *", "zone": "* * * * *"}
        extra = ["UPDATE report_schedule SET crontab = '* * * * *', active = TRUE WHERE id = 1;"]
        names = "type, name, description, sql, dashboard_id, report_format, grace_period, working_timeout, " \
            "validator_type, validator_config_json, log_retention, last_state, extra_json, creation_method, database_id"
        for n, (name, crontab) in enumerate(bad.items(), 2):
            zone = "Mars/Olympus" if name == "zone" else "UTC"
            extra.append(f"INSERT INTO report_schedule (id, crontab, timezone, active, {names}) SELECT {n}, "
                         f"{literal(crontab)}, {literal(zone)}, TRUE, "
                         f"{names.replace('name', literal(name), 1)} FROM report_schedule WHERE id = 1;")
        self.db.run("\n".join(extra))
        command = [self.args.binary, "run", "--config", self.config(SMTP_PORT=sink.port), "--port", "0"]
        log = open(self.folder / "run.log", "w")
        server = subprocess.Popen([*command, "--home", self.folder / "home"], stdout=log, stderr=log)
        until = time.monotonic() + 240
        while not sink.mails and server.poll() is None and time.monotonic() < until:
            time.sleep(0.5)
        alive = server.poll() is None
        server.terminate()
        server.wait(60)
        text = (self.folder / "run.log").read_text()
        named = {name for n, name in enumerate(bad, 2) if re.search(f'the crontab of[^\n]*"schedule":{n}\\b', text)}
        self.check("clock: what is due is run", alive and sink.mails, (alive, len(sink.mails)))
        wanted = {"never", "words", "empty", "out of range"}
        self.check("clock: what cannot be read or never fires is named", named == wanted, named)
        self.check("clock: nothing panics", "panicked" not in text, text[-2000:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=["pg", "lite"], default="lite")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--binary", default=target / "debug" / "liteset")
    parser.add_argument("--only", default="", help="names that match")
    parser.add_argument("--verbose", "-v", action="store_true")
    parser.add_argument("--name", default="liteset", help="beginning of the database's name")
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-hostile-"))
    hostile = Hostile(args, folder)
    try:
        hostile.mails()
        hostile.slacks()
        hostile.clock()
    finally:
        hostile.db.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(hostile.failed)} failed")
    sys.exit(1 if hostile.failed else 0)


if __name__ == "__main__":
    main()
