#!/usr/bin/env python3
"""A provider of OpenID Connect for tests of signing in: nobody has a password, whoever comes is the person that
PUT /_person has named last.

    python3 tests/servers/openid_provider.py     prints the port that it listens on; ends with its standard input

Clients are `liteset` with the secret `hush`. PUT /_lie with JSON changes what it says until the next PUT: `claims` go
over those of the id_token (null takes one away), `header` over its header, `kid` names another key than the one that
signs, `answer` goes over the answer with the tokens, `size` makes every answer so long, `seconds` late, `move` a
redirect, all three for the path `only` if it is there.
"""

import base64, hashlib, http.server, json, random, secrets, sys, threading, time, urllib.parse

PEOPLE = {
    "alice": {"sub": "1", "preferred_username": "alice", "email": "alice@example.net", "given_name": "Alice",
              "family_name": "Archer", "groups": ["analysts"], "realm_access": {"roles": ["Alpha", "Nowhere"]}},
    "admin": {"sub": "2", "preferred_username": "admin", "email": "admin@example.net", "groups": []},
    "taken": {"sub": "3", "preferred_username": "taken", "email": "alice@example.net", "groups": []},
}  # fmt: skip
state = {"person": "alice", "lie": {}}
codes, tokens, seen = {}, {}, []


def prime(bits):
    while True:
        n = random.getrandbits(bits) | (3 << (bits - 2)) | 1
        if n % 65537 != 1 and all(pow(a, n - 1, n) == 1 for a in (2, 3, 5, 7, 11)):
            return n


def encoded(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, kid):
        p, q = prime(1024), prime(1024)
        self.kid, self.n, self.d = kid, p * q, pow(65537, -1, (p - 1) * (q - 1))

    def public(self):
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "e": "AQAB", "n": encoded(self.n.to_bytes(256, "big"))}

    def sign(self, text):
        digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
        padded = b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest
        return encoded(pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(256, "big"))


KEYS = [Key("first")]


def id_token(claims, lie):
    claims = {**claims, **lie.get("claims", {})}
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": "RS256", "kid": lie.get("kid", KEYS[0].kid), **lie.get("header", {})}
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}." if header["alg"] == "none" else f"{text}.{KEYS[0].sign(text)}"


class Provider(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, location=None):
        lie, path = state["lie"], self.path.partition("?")[0]
        lie = lie if lie.get("only", path) == path else {}
        if not self.path.startswith("/_"):
            time.sleep(lie.get("seconds", 0))
            if "move" in lie and not location:
                status, location = 302, lie["move"]
        text = "" if location and "move" in lie else json.dumps(body)
        data = text.encode().ljust(lie.get("size", 0) if not self.path.startswith("/_") else 0)
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def do_PUT(self):
        if self.path == "/_person":
            state["person"] = self.body()
        elif self.path == "/_rotate":
            self.body()
            KEYS[0] = Key("later")
        else:
            state["lie"] = json.loads(self.body() or "{}")
        self.answer({})

    def do_GET(self):
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        issuer = f"http://127.0.0.1:{self.server.server_port}"
        if not path.startswith("/_"):
            seen.append(path)
        if path == "/.well-known/openid-configuration":
            names = {"authorization": "auth", "token": "token", "userinfo": "me", "end_session": "out"}
            document = {f"{name}_endpoint": f"{issuer}/{where}" for name, where in names.items()}
            document["authorization_response_iss_parameter_supported"] = True
            self.answer({"issuer": issuer, "jwks_uri": f"{issuer}/jwks", **document})
        elif path == "/jwks":
            self.answer({"keys": [key.public() for key in KEYS]})
        elif path == "/auth":
            code = secrets.token_urlsafe()
            codes[code] = (state["person"], asked)
            back = urllib.parse.urlencode({"code": code, "state": asked["state"], "iss": issuer})
            self.answer({}, 302, f"{asked['redirect_uri']}?{back}")
        elif path == "/me":
            person = tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            self.answer(PEOPLE[person] if person else {"error": "invalid_token"}, 200 if person else 401)
        elif path == "/out":
            self.answer({}, 302, asked["post_logout_redirect_uri"])
        elif path == "/_seen":
            self.answer(seen)
        else:
            self.answer({"error": "not_found"}, 404)

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.body()))
        seen.append(self.path)
        person, asked = codes.pop(form.get("code"), (None, {}))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = "Basic " + base64.b64encode(b"liteset:hush").decode()
        good = (
            person
            and self.headers.get("Authorization") == proof
            and form.get("redirect_uri") == asked["redirect_uri"]
            and asked.get("code_challenge") == encoded(verifier)
        )
        if not good:
            return self.answer({"error": "invalid_grant"}, 400)
        access, now = secrets.token_urlsafe(), int(time.time())
        tokens[access] = person
        issuer = f"http://127.0.0.1:{self.server.server_port}"
        half = encoded(hashlib.sha256(access.encode()).digest()[:16])
        claims = {"iss": issuer, "aud": "liteset", "sub": PEOPLE[person]["sub"], "nonce": asked.get("nonce")}
        claims |= {"iat": now, "exp": now + 60, "at_hash": half}
        answer = {"access_token": access, "token_type": "Bearer", "id_token": id_token(claims, state["lie"])}
        return self.answer({**answer, **state["lie"].get("answer", {})})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
