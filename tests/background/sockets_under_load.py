#!/usr/bin/env python3
"""How many WebSockets cost how much, and how long an event takes; how many queries many viewers cause.

    python3 tests/background/sockets_under_load.py BINARY [--clients 5000] [--settle 100] [--viewers 500] [--charts 10]

Starts an installation of its own (events and caches in memory, the data in SQLite) and prints: memory of the server per
idle client; from the end of a query (its event's id is the moment) to the frame at a client that shares the machine,
with all others connected; and, for so many viewers of a dashboard of so many charts at once, the number of queries
that the database got. Raises the limit of file descriptors for itself and the server.
"""

import argparse, asyncio, base64, json, os, pathlib, re, resource, shutil, statistics, subprocess, sys, tempfile, time

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from async_replay import jwt  # noqa: E402

SECRET = "only-for-measuring-0123456789-0123456789"
PORT = 9181


def raise_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def memory(pid):
    """Kilobytes that belong to the process (Pss)."""
    return int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])


async def connect(channel):
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=4096)
    key = base64.b64encode(os.urandom(16)).decode()
    token = jwt({"channel": channel, "sub": "1"}, SECRET)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nCookie: async-token={token}\r\n\r\n".encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    assert b" 101 " in head.split(b"\r\n")[0], head
    return reader, writer


async def frame(reader, writer):
    """The next text; pings are answered."""
    while True:
        head = await reader.readexactly(2)
        length = head[1] & 127
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        payload = await reader.readexactly(length)
        if head[0] & 15 == 9:
            mask = os.urandom(4)
            writer.write(
                bytes([0x8A, 0x80 | length]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
            )
        elif head[0] & 15 == 1:
            return payload.decode()


def log_in(base):
    session = requests.Session()
    page = session.get(base + "/login/").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    session.post(base + "/login/", data={"username": "admin", "password": "measure", "csrf_token": token})
    return session


# long enough that viewers come while it runs
SLOW = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1500000) SELECT COUNT(*) AS v FROM c"


def slow_dataset(session, base):
    csrf = session.get(base + "/api/v1/security/csrf_token/").json()["result"]
    database = session.get(base + "/api/v1/database/").json()["result"][0]["id"]
    body = {"database": database, "table_name": "slow", "schema": "main", "sql": SLOW}
    made = session.post(base + "/api/v1/dataset/", json=body, headers={"X-CSRFToken": csrf, "Referer": base})
    assert made.status_code == 201, made.text
    return made.json()["id"], csrf


def question(dataset, column, n):
    query = {"columns": [column], "row_limit": 10 + n}
    return {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [query],
        "result_format": "json",
        "result_type": "full",
    }


async def measure(arguments, base, pid):
    session = await asyncio.to_thread(log_in, base)
    dataset = session.get(base + "/api/v1/dataset/").json()["result"][0]["id"]
    column = session.get(f"{base}/api/v1/dataset/{dataset}").json()["result"]["columns"][0]["column_name"]
    ask = lambda n: session.post(base + "/api/v1/chart/data", json=question(dataset, column, n)).status_code
    await asyncio.to_thread(ask, 9_000)
    await asyncio.sleep(3)
    idle = memory(pid)
    clients, begun = [], time.time()
    for at in range(0, arguments.clients, 100):
        names = [f"idle-{n}" for n in range(at, min(at + 100, arguments.clients))]
        clients += await asyncio.gather(*map(connect, names))
    took = time.time() - begun
    pongs = [asyncio.create_task(frame(*client)) for client in clients]
    await asyncio.sleep(arguments.settle)
    full = memory(pid)
    print(
        f"{len(clients)} clients in {took:.1f} s: {(full - idle) / len(clients):.2f} kB each "
        f"(server {idle} -> {full} kB)",
        flush=True,
    )
    channel = json.loads(base64.urlsafe_b64decode(session.cookies["async-token"].split(".")[1] + "=="))[
        "channel"
    ]
    mine = await connect(channel)
    delays = []
    for n in range(100):
        waiting = asyncio.create_task(frame(*mine))
        assert await asyncio.to_thread(ask, 10_000 + n) == 202
        told = json.loads(await asyncio.wait_for(waiting, 30))
        delays.append(time.time() * 1000 - int(told["id"].split("-")[0]))
    delays.sort()
    print(
        f"end of a query to frame, {len(clients)} connected: median {statistics.median(delays):.1f} ms, "
        f"p99 {delays[98]:.1f} ms, most {delays[-1]:.1f} ms",
        flush=True,
    )
    await asyncio.sleep(25)
    alive = sum(not pong.done() for pong in pongs)
    print(f"after a round of pings: {alive} of {len(clients)} connected, server {memory(pid)} kB", flush=True)
    for pong in pongs:
        pong.cancel()
    for _, writer in clients:
        writer.close()


async def viewers(arguments, base, log):
    """So many people open the same dashboard at once, each with a socket."""
    session = await asyncio.to_thread(log_in, base)
    dataset, csrf = await asyncio.to_thread(slow_dataset, session, base)
    column = "v"
    before = log.read_text().count(MARK)
    statuses = []

    async def viewer(n):
        channel = f"viewer-{n}"
        token = jwt({"channel": channel, "sub": "1"}, SECRET)
        reader, writer = await connect(channel)
        cookie = f"session={session.cookies['session']}; async-token={token}"

        async def post(chart):
            r, w = await asyncio.open_connection("127.0.0.1", PORT)
            body = json.dumps(question(dataset, column, 20_000 + chart)).encode()
            w.write(
                f"POST /api/v1/chart/data HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nCookie: {cookie}\r\n"
                f""
                f"X-CSRFToken: {csrf}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            status = int((await r.readline()).split()[1])
            await r.read()
            w.close()
            statuses.append(status)
            return status

        asked = await asyncio.gather(*[post(chart) for chart in range(arguments.charts)])
        for _ in range(asked.count(202)):
            assert json.loads(await asyncio.wait_for(frame(reader, writer), 300))["status"] == "done"
        writer.close()

    begun = time.time()
    await asyncio.gather(*[viewer(n) for n in range(arguments.viewers)])
    took = time.time() - begun
    await asyncio.sleep(1)
    queries = log.read_text().count(MARK) - before
    print(
        f"{arguments.viewers} viewers of {arguments.charts} charts in {took:.1f} s: {statuses.count(202)} jobs, "
        f"{statuses.count(200)} from the cache, {len([s for s in statuses if s not in (200, 202)])} else; "
        f"{queries} queries"
    )
    return queries


# stands in a line of the log for each statement that an analytical database got
MARK = '"database":"analytical"'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--clients", type=int, default=5000)
    parser.add_argument("--settle", type=float, default=100, help="seconds until memory is looked at")
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--charts", type=int, default=10)
    arguments = parser.parse_args()
    raise_limit(4 * arguments.clients + 4096)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="liteset-sockets-"))
    log = folder / "log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LITESET_ADMIN_PASSWORD": "measure",
        "LITESET_RATELIMIT_ENABLED": "false",
        "SUPERSET_FEATURE_GLOBAL_ASYNC_QUERIES": "true",
        "LITESET_GLOBAL_ASYNC_QUERIES_TRANSPORT": "ws",
        "LITESET_GLOBAL_ASYNC_QUERIES_JWT_SECRET": SECRET,
        "LITESET_LOG": "info,liteset::access=off,liteset::sql=debug",
    }
    command = [arguments.binary, "run", "--home", folder / "data", "--port", str(PORT)]
    server = subprocess.Popen(command, stderr=log.open("w"), env=environment)
    try:
        until = time.time() + 60
        while '"listening"' not in log.read_text():
            assert server.poll() is None and time.time() < until, log.read_text()
            time.sleep(0.1)
        base = f"http://127.0.0.1:{PORT}"
        asyncio.run(measure(arguments, base, server.pid))
        queries = asyncio.run(viewers(arguments, base, log))
    finally:
        server.terminate()
        server.wait(60)
        if "KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if queries == arguments.charts else f"{queries} queries for {arguments.charts} charts")


if __name__ == "__main__":
    main()
