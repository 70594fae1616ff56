"""A mail server and a Slack that keep what they are sent, and fail as a case says."""
import http.server
import json
import re
import socketserver
import struct
import threading
from email import message_from_bytes
from urllib.parse import parse_qsl


class Mail(socketserver.ThreadingTCPServer):
    """SMTP: modes `ok`, `reject:ADDRESS`, `reject-all`, `data-fail`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MailSession)
        self.mode, self.mails = "ok", []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


class MailSession(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        mode, sender, to = self.server.mode, None, []
        self.say("220 sink")
        while line := self.rfile.readline():
            word, rest = line.decode("ascii", "replace").strip(), ""
            address = re.search(r"<(.*)>", word)
            address = (address.group(1) or "<>") if address else rest
            verb = word.upper()
            if verb.startswith(("EHLO", "HELO")):
                self.say("250 sink")
            elif verb.startswith("MAIL"):
                sender, to = address, []
                self.say("250 ok")
            elif verb.startswith("RCPT"):
                if mode == "reject-all" or mode == "reject:" + address:
                    self.say("550 5.1.1 no such user")
                else:
                    to.append(address)
                    self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                data = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    data += part[1:] if part.startswith(b".") else part
                if mode == "data-fail":
                    self.say("451 4.3.0 try later")
                else:
                    self.server.mails.append({"from": sender, "to": to, "data": data})
                    self.say("250 taken")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")


CHANNELS = [
    {"id": "C0GENERAL", "name": "general", "is_member": True, "is_private": False},
    {"id": "C0RANDOM", "name": "random", "is_member": False, "is_private": False},
    {"id": "G0SECRET", "name": "secret-ops", "is_member": True, "is_private": True},
]


class Slack(http.server.ThreadingHTTPServer):
    """Slack's API: `answers` are [status, body] by method."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SlackCall)
        self.answers, self.calls = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/api/"


def described(body):
    """A file as the recording describes it."""
    if body[:4] == b"\x89PNG":
        return {"png": list(struct.unpack(">II", body[16:24]))}
    if body[:5] == b"%PDF-":
        return {"pdf": len(re.findall(rb"/Type\s*/Page(?![s\w])", body))}
    return {"text": body.decode("utf-8", "replace")}


def params_of(kind, body):
    if kind.startswith("application/json"):
        return json.loads(body)
    if kind.startswith("multipart/form-data"):
        params = {}
        for part in message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).get_payload():
            name = part.get_param("name", header="Content-Disposition")
            content = part.get_payload(decode=True)
            filename = part.get_filename()
            params[name] = content.decode() if filename is None else {"filename": filename, **described(content)}
        return params
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


class SlackCall(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        auth = self.headers.get("authorization") == "Bearer xoxb-test"
        is_upload = self.path.startswith("/upload")
        method = "<upload>" if is_upload else self.path.removeprefix("/api/")
        params = {"<body>": described(body)} if is_upload else params_of(self.headers.get("content-type") or "", body)
        if isinstance(params.get("files"), str):
            params["files"] = params["files"].replace("F0FILE", "<file id>")
        self.server.calls.append({"method": method, "http": "POST", "auth": auth, "params": params})
        upload = self.server.url.replace("/api/", "/upload/F0FILE")
        known = {
            "conversations.list": {"ok": True, "channels": CHANNELS, "response_metadata": {"next_cursor": ""}},
            "files.getUploadURLExternal": {"ok": True, "file_id": "F0FILE", "upload_url": upload},
            "files.completeUploadExternal": {"ok": True, "files": [{"id": "F0FILE"}]},
        }
        status, answer = self.server.answers.get(method) or (200, known.get(method, {"ok": True}))
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
