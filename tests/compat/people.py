"""People with a browser's worth of HTTP: a session, a CSRF token, no redirects followed. Only Python's own library."""
import http.client
import json
import re
import urllib.parse

PASSWORDS = {name: f"compat tests only {name}" for name in ("admin", "alpha", "gamma", "baker", "lab")}


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)


class People:
    """Whoever asks is logged in at the first question; every question carries the cookie of the log-in."""

    def __init__(self, base):
        self.base = base.rstrip("/")
        self.host = urllib.parse.urlsplit(self.base).netloc
        self.sessions = {}

    def raw(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=120)
        try:
            # what a browser would escape
            path = urllib.parse.quote(path, safe="%/:=&?~#+!$,;'@()*[]")
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def log_in(self, user):
        page = self.raw("GET", "/login/")
        cookie = cookies(page, {})
        token = re.search(r'name="csrf_token"[^>]*?value="([^"]+)"', page.text, re.S)
        form = {"username": user, "password": PASSWORDS[user], "csrf_token": token[1] if token else ""}
        headers = {
            "Cookie": header(cookie),
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": self.base + "/login/",
        }
        answer = self.raw("POST", "/login/", urllib.parse.urlencode(form), headers)
        if answer.status != 302 or "/login" in answer.headers.get("location", ""):
            raise RuntimeError(f"{user} cannot log in: {answer.status}")
        cookie = header(cookies(answer, cookie))
        token = self.raw("GET", "/api/v1/security/csrf_token/", headers={"Cookie": cookie}).json()["result"]
        self.sessions[user] = (cookie, token)

    def ask(self, case):
        """Sends a case: `user`, `method`, `path`, one of `json`, `form` and `text`, and `csrf` false for no token."""
        method, user = case.get("method", "GET"), case.get("user", "admin")
        headers = {"Accept": "application/json" if case["path"].startswith("/api/") else "text/html,application/json"}
        if user != "nobody":
            if user not in self.sessions:
                self.log_in(user)
            headers["Cookie"], token = self.sessions[user]
            if method not in ("GET", "HEAD") and case.get("csrf", True):
                headers |= {"X-CSRFToken": token, "Referer": self.base + "/superset/welcome/"}
        body = None
        if "json" in case:
            body, headers["Content-Type"] = json.dumps(case["json"]), "application/json"
        elif "form" in case:
            body, headers["Content-Type"] = urllib.parse.urlencode(case["form"]), "application/x-www-form-urlencoded"
        elif "text" in case:
            body, headers["Content-Type"] = case["text"].encode(), "application/json"
        return self.raw(method, case["path"], body, headers)


def cookies(answer, before):
    pairs = (value.split(";")[0].partition("=") for value in answer.headers.get_all("set-cookie", []))
    return {**before, **{name: value for name, _, value in pairs}}


def header(cookies):
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
