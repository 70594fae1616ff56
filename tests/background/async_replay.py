"""Replays the recorded sequences of global async queries and of the WebSocket server: one function each, which returns
the steps as liteset answered them."""

import base64, hashlib, hmac, json, re, subprocess, time, urllib.parse

import requests

from sockets import Socket, hangs_up


# ---------------------------------------------------------------------------------------------------------- tokens
def jwt(claims, secret, alg="HS256"):
    enc = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
    head = enc(json.dumps({"alg": alg, "typ": "JWT"}).encode())
    text = f"{head}.{enc(json.dumps(claims).encode())}"
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}.get(alg)
    return f"{text}.{enc(hmac.new(secret.encode(), text.encode(), digest).digest()) if digest else ''}"


def claims_of(token):
    part = lambda i: json.loads(base64.urlsafe_b64decode(token.split(".")[i] + "=="))
    return {"header": part(0), "claims": part(1)}


# ------------------------------------------------------------------------------------------------------------ HTTP
class Person:
    """A session of a browser."""

    def __init__(self, base, user=None):
        self.base, self.http = base, requests.Session()
        if user:
            self.log_in(user)

    def log_in(self, user):
        page = self.http.get(self.base + "/login/").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(
            r"csrf_token&#34;: &#34;([^&]+)", page
        )
        form = {
            "username": user,
            "password": "admin" if user == "admin" else f"compat-{user}",
            "csrf_token": token[1] if token else "",
        }
        answer = self.http.post(self.base + "/login/", data=form, allow_redirects=False)
        self.csrf = self.http.get(self.base + "/api/v1/security/csrf_token/")
        return answer


def cookies_of(answer):
    found = []
    for text in answer.raw.headers.getlist("set-cookie"):
        name, value = text.split(";")[0].split("=", 1)
        if name not in ("async-token", "session"):
            continue
        cookie = {"name": name, "attributes": sorted(part.strip() for part in text.split(";")[1:])}
        if name == "async-token":
            cookie["jwt"] = claims_of(value)
        found.append(cookie)
    return sorted(found, key=lambda cookie: cookie["name"])


def cut(body):
    for query in (
        body.get("result", []) if isinstance(body, dict) and isinstance(body.get("result"), list) else []
    ):
        if isinstance(query, dict) and isinstance(query.get("data"), list):
            query["data"] = {"rows": len(query["data"]), "first": query["data"][:2]}
            if query.get("cached_dttm"):
                query["cached_dttm"] = "<time>"
    return body


def told(answer):
    kind = answer.headers.get("content-type", "")
    body = "<html>" if kind.startswith("text/html") else cut(answer.json())
    return {"status": answer.status_code, "content_type": kind, "cookies": cookies_of(answer), "body": body}


class Held:
    """A table that nobody can read for a while."""

    def __init__(self, table):
        command = ["psql", "-q", "-d", "examples"]
        self.psql = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.psql.stdin.write(f"begin; lock table {table} in access exclusive mode; select 1;\n")
        self.psql.stdin.flush()
        self.psql.stdout.readline()

    def release(self):
        self.psql.stdin.close()
        self.psql.wait()


def redis(db, *words):
    out = subprocess.run(
        ["redis-cli", "-n", str(db), "--json", *map(str, words)], capture_output=True, text=True
    )
    return json.loads(out.stdout)


def stream_of(channel, prefix, db):
    raw = redis(db, "XRANGE", f"{prefix}{channel}", "-", "+")
    data = [entry[1][1] for entry in raw]
    return {
        "async-events-<channel>": [[entry[0], {entry[1][0]: json.loads(entry[1][1])}] for entry in raw],
        "key_order_of_data": [list(json.loads(text)) for text in data],
        "raw_first": data[:1],
    }


def warm(person, question):
    until = time.time() + 20
    while (
        person.http.post(person.base + "/api/v1/chart/data", json=question).status_code == 202
        and time.time() < until
    ):
        time.sleep(0.2)


def replay_async(case, base, prefix, secret, db):
    golden, steps = case["steps"], []
    if any(step["name"] == "full-stream-length" for step in golden):
        redis(db, "DEL", f"{prefix}full")
    people = {}
    person = lambda name: people.setdefault(name, Person(base, name))
    main = Person(base) if case["id"] == "async-cookies" else person("admin")
    for step in golden:
        if step["name"] == "job-without-token":
            # an earlier sequence had asked it
            warm(Person(base, "admin"), step["request"]["json"])
    held = Held("birth_names") if any(step["name"] == "queued-tasks" for step in golden) else None
    events, token, first_token = [], None, main.http.cookies.get("async-token")
    try:
        for step in golden:
            name, request = step["name"], step.get("request")
            if name == "queued-tasks":
                held.release()
                held = None
                steps.append({"name": name})
                continue
            if request is None:
                channel = claims_of(main.http.cookies["async-token"])["claims"]["channel"]
                if name == "stream":
                    found = stream_of(channel, prefix, db)
                else:
                    keys = redis(db, "KEYS", f"{prefix}*")
                    streams = {
                        re.sub(r"[0-9a-f-]{36}$", "<uuid>", key[len(prefix) :])
                        for key in keys
                        if ":" not in key
                    }
                    found = {
                        "async-events-full": redis(db, "XLEN", f"{prefix}full"),
                        "keys": sorted(f"async-events-{key}" for key in streams),
                    }
                steps.append({**step, "redis": found})
                continue
            steps.append(
                {**step, "response": told(ask(case, step, base, main, person, events, first_token, secret))}
            )
            body = steps[-1]["response"]["body"]
            if isinstance(body, dict) and isinstance(body.get("result"), list):
                events += [
                    event
                    for event in body["result"]
                    if isinstance(event, dict) and "job_id" in event and event not in events
                ]
    finally:
        if held:
            held.release()
    return in_order(steps)


def in_order(steps):
    """Two jobs that wait for one query end together: which event comes first is chance, and equal questions are told
    apart by their order alone."""
    jobs = {}
    for step in steps:
        body = step.get("response", {}).get("body")
        if isinstance(body, dict) and body.get("status") == "pending":
            jobs.setdefault(json.dumps(step["request"]["json"]), []).append(body["job_id"])
    for one, two in (pair for pair in jobs.values() if len(pair) == 2):
        first = next((step for step in steps if one in json.dumps(step) and two in json.dumps(step)), None)
        if first and json.dumps(first).index(two) < json.dumps(first).index(one):
            swap = lambda text: text.replace(one, "<one>").replace(two, one).replace("<one>", two)
            pending = (
                lambda step: isinstance(step.get("response", {}).get("body"), dict)
                and step["response"]["body"].get("status") == "pending"
            )
            steps = [step if pending(step) else json.loads(swap(json.dumps(step))) for step in steps]
    return steps


def ask(case, step, base, main, person, events, first_token, secret):
    """The answer to one recorded request, from whom the step's name tells."""
    name, request = step["name"], step["request"]
    who = main
    if name.startswith(("gamma-same", "result-as-gamma", "no-access")):
        who = person("gamma")
    elif name.startswith(("reader", "result-as-reader")):
        who = person("reader")
    elif name in ("result-anonymous", "token-without-session"):
        who = Person(base)
    path = request["path"]
    result = next((event["result_url"] for event in reversed(events) if event.get("result_url")), None)
    if re.search(r"/data/(qc|ejr)-<hash", path):
        path = result or path
    if "last_id=<event-" in path or name == "events-last-id-nodash":
        ids = [event["id"] for event in events]
        wanted = {"events-after-first": 0, "events-after-last": -1, "events-last-id-nodash": 0}.get(name)
        last = "9999999999999-0" if wanted is None else ids[wanted] if ids else "0-0"
        path = f"{path.split('=')[0]}={last.split('-')[0] if name.endswith('nodash') else last}"
    cookies = dict(who.http.cookies)
    claims = lambda **more: {"channel": claims_of(first_token)["claims"]["channel"], "sub": "1", **more}
    tokens = {
        "garbage-token": "garbage",
        "job-with-garbage-token": "garbage",
        "wrong-secret": lambda: jwt(claims(), "x" * 40),
        "hs512": lambda: jwt(claims(), secret, "HS512"),
        "no-channel-claim": lambda: jwt({"sub": "1"}, secret),
        "sub-is-number": lambda: jwt(claims(sub=1), secret),
        "sub-null": lambda: jwt(claims(sub=None), secret),
        "expired": lambda: jwt(claims(exp=int(time.time()) - 60), secret),
        "other-channel": lambda: jwt(claims(channel="11111111-1111-4111-8111-111111111111"), secret),
        "no-sub": lambda: jwt({"channel": claims()["channel"]}, secret),
        "token-without-session": first_token,
    }
    http = who.http
    if case["id"] == "async-tokens" and name in (
        "session-without-token",
        "job-without-token",
        "gamma-session-admin-token",
        *tokens,
    ):
        # a request of its own: what it sets is not kept
        http = requests.Session()
        if name == "gamma-session-admin-token":
            cookies = {"session": person("gamma").http.cookies["session"], "async-token": first_token}
            gamma = claims_of(person("gamma").http.cookies["async-token"])
            assert gamma["claims"]["sub"] == "3"
        elif name in ("session-without-token", "job-without-token"):
            cookies.pop("async-token", None)
        else:
            made = tokens[name]
            cookies["async-token"] = made() if callable(made) else made
            if name == "token-without-session":
                cookies.pop("session", None)
        http.cookies.update(cookies)
    if name == "token-cookie-lost":
        http.cookies.pop("async-token")
    if name.startswith("login"):
        return who.log_in("gamma" if "other-user" in name else "admin")
    kept = {"json": request["json"]} if "json" in request else {}
    if name == "not-json":
        kept = {"data": "no JSON", "headers": {"content-type": "text/plain"}}
    # a list of events is waited for until it is as long as the recorded one
    golden = step["response"]["body"]
    wanted = (
        len(golden["result"])
        if path.startswith("/api/v1/async_event/") and step["response"]["status"] == 200
        else 0
    )
    until = time.time() + 20
    while True:
        answer = http.request(request["method"], base + path, allow_redirects=False, **kept)
        if not wanted or time.time() > until or len(answer.json()["result"]) >= wanted:
            return answer
        time.sleep(0.1)


# ------------------------------------------------------------------------------------------------------- WebSocket
def replay_websocket(case, base, prefix, secret, db):
    """A case of the recording has one step."""
    step = dict(case["steps"][0])
    name, run = step["name"], f"{case['id']}-{time.time_ns()}"
    channel = lambda letter: f"{letter}-{run}"
    cookie = lambda letter: f"async-token={jwt({'channel': channel(letter), 'sub': '1'}, secret)}"
    open_socket = lambda letter, query="": Socket(base, f"/{query}", cookie(letter))

    def add(letter, data, field="data"):
        told = {"channel_id": channel(letter), **data}
        ids = [
            redis(db, "XADD", f"{prefix}{stream}", "*", field, json.dumps(told))
            for stream in (channel(letter), "full")
        ]
        return ids

    def back(frames):
        """Frames with the recording's names of channels."""
        texts = [re.sub(rf"\b(\w+)-{re.escape(run)}", r"\1", text) for text in frames]
        return [{"binary": False, "text": text} for text in texts]

    done = lambda job, **more: {
        "job_id": job,
        "user_id": "1",
        "status": "done",
        "errors": [],
        "result_url": "/api/v1/chart/data/x",
        **more,
    }
    if name == "http":
        method, path = step["request"].split()
        answer = requests.request(method, base + path)
        return [{**step, "status": answer.status_code, "body": answer.text}]
    if name.startswith("upgrade-"):
        good = {"channel": channel("A"), "sub": "1"}
        token = {
            "no-cookie": None,
            "garbage": "garbage",
            "hs512": jwt(good, secret, "HS512"),
            "expired": jwt({**good, "exp": int(time.time()) - 60}, secret),
            "none-alg": jwt(good, secret, "none"),
        }[name.removeprefix("upgrade-")]
        return [{**step, "outcome": hangs_up(base, f"async-token={token}" if token else None)[0]}]
    if name == "raw-upgrade-no-cookie":
        _, received = hangs_up(base, None)
        return [{**step, "bytes_received": len(received), "head": received.decode()}]
    if name == "live":
        one, two, other = open_socket("A"), open_socket("A"), open_socket("B")
        one.send("hello")
        add("A", done("j1"))
        add(
            "A",
            {
                "job_id": "j2",
                "user_id": "1",
                "status": "error",
                "errors": [{"message": "boom"}],
                "result_url": None,
            },
        )
        add("A", {"job_id": "odd-field"}, field="odd")
        add("A", done("j3", extra={"ü": [1.5, None]}))
        first, second = back(one.frames(4)), back(two.frames(4))
        return [
            {
                **step,
                "first_socket": first,
                "second_socket_same_channel": second,
                "other_channel": back(other.frames(0)),
                "still_open_after_client_message": one.is_open(),
            }
        ]
    if name == "client-close":
        socket = open_socket("A")
        return [{**step, "close": {**step["close"], "code": socket.say_goodbye()}}]
    if name.startswith("replay") or name == "no-last-id-no-replay":
        wanted = re.match(r".*", "R").group(0)
        letter = json.loads(step["frames"][0]["text"])["channel_id"] if step["frames"] else wanted
        follower = open_socket("follower")
        ids = [add(letter, done(f"r{n}"))[0] for n in range(4)]
        add("follower", {"job_id": "seen"})
        follower.frames(1)
        query = {
            "replay-all": "?last_id=0-0",
            "replay-after-last": f"?last_id={ids[-1]}",
            "replay-no-dash": f"?last_id={ids[0].split('-')[0]}",
            "replay-text": "?last_id=abc",
            "replay-empty": "?last_id=",
            "replay-future": "?last_id=9999999999999-0",
            "no-last-id-no-replay": "",
        }[name]
        socket = open_socket(letter, query)
        return [{**step, "frames": back(socket.frames(len(step["frames"])))}]
    if name == "live-after-replay":
        older = open_socket("S")
        newer = open_socket("S", "?last_id=9999999999999-0")
        add("S", done("live-after"))
        return [{**step, "older_socket": back(older.frames(1)), "new_socket": back(newer.frames(1))}]
    if name == "ping":
        socket = open_socket("P")
        pings = socket.pings(len(step["seconds_between_pings"]) + 1)
        between = [round(b[0] - a[0]) for a, b in zip(pings, pings[1:])]
        uuid4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
        return [
            {
                **step,
                "seconds_between_pings": between,
                "payload": "<uuid4>" if uuid4.fullmatch(pings[0][1]) else pings[0][1],
                "same_payload": len({text for _, text in pings}) == 1,
                "open": socket.is_open(),
            }
        ]
    if name == "no-pong":
        socket = open_socket("P")
        begun, count = time.time(), 0
        for _, _ in socket.pings(10, answer=False, limit=100):
            count += 1
        return [
            {
                **step,
                "pings_sent": count,
                "close": {
                    **step["close"],
                    "code": 1006 if not socket.is_open() else 0,
                    "at_the_ping_tick_after_s": (
                        60 if 60 <= time.time() - begun < 81 else round(time.time() - begun)
                    ),
                },
            }
        ]
    if name == "after-termination":
        socket = open_socket("P")
        add("P", done("after-termination"))
        return [{**step, "frames": back(socket.frames(1))}]
    return [step and {"name": name, "skipped": True}]
