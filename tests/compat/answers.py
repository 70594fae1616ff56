"""An answer as it is kept, without what no two installations share, and what differs between two of them."""
import csv
import html
import io
import json
import math
import pathlib
import re
import urllib.parse

RECORDED = pathlib.Path(__file__).resolve().parent / "answers.jsonl"

# Why each is masked stands behind it. `{…}` names what stood there; a null stays null.
MASKED_KEYS = {
    key: why
    for why, keys in {
        "counted or stamped by every log-in": "last_login login_count fail_login_count loginCount lastLogin",
        "how long ago something was": "modified duration_humanized",
        "the time of the answer": "cached_dttm queried_dttm last_modified_time",
        "durations": "duration start_time end_time start_running_time end_result_backend_time",
        "a hash of the server's own": "cache_key digest",
        "signed, with the time in it": "access_token refresh_token csrf_token guest_token",
        "Python's": "stacktrace",
    }.items()
    for key in keys.split()
}
# Lists that Superset makes from sets: their order changes with Python's hash seed, or nothing orders them.
SETS = re.compile(
    r"permissions|column_names|function_names|sql_tables|table_names|roles|owners|tags|groups|"
    r"(CSV|EXCEL|COLUMNAR|ALLOWED)_EXTENSIONS|can_\w+|menu_access|\w+_access"
)
TEXTS = [
    (
        re.compile(r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"),
        "{now}",
    ),  # the data end in 2025
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "{token}"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "{uuid}"),
    (re.compile(r"\b20\d{6}[T_]\d{6}\b"), "{now}"),
    (re.compile(r"(?<=/)[0-9a-f]{32,64}(?=/)"), "{digest}"),
    (re.compile(r"0x[0-9a-f]{8,16}"), "{address}"),
]


def read():
    """The recorded cases, each with its `answer`; one that was given before stands in the file as the
    name of that case."""
    given, cases = {}, []
    for line in RECORDED.read_text().splitlines():
        case = json.loads(line)
        case["answer"] = given[case["id"]] = (
            given[case["answer"]] if isinstance(case["answer"], str) else case["answer"]
        )
        cases.append(case)
    return cases


def write(cases):
    first, lines = {}, []
    for case in cases:
        text = canonical(case["answer"])
        earlier = first.setdefault(text, case["id"])
        answer = earlier if earlier != case["id"] and len(text) > 100 else case["answer"]
        lines.append(json.dumps(case | {"answer": answer}, ensure_ascii=False, separators=(",", ":")))
    RECORDED.write_text("\n".join(lines) + "\n")
    return sum(len(line.encode()) + 1 for line in lines)


class Names:
    """What an installation calls things: its address, its folder, the UUIDs of its objects."""

    def __init__(self, base, home, ask):
        self.names = {}
        # the one that is the same everywhere stays
        self.names["a2dc77af-e654-49bb-b321-40f6b559a1ee"] = "a2dc77af_e654_49bb_b321_40f6b559a1ee"
        for kind in ("chart", "dashboard", "dataset"):
            ids = ask({"path": f"/api/v1/{kind}/?q=(columns:!(id),page_size:100)"}).json()["ids"]
            found = [ask({"path": f"/api/v1/{kind}/{pk}"}).json()["result"] for pk in ids]
            self.names |= {row["uuid"]: f"{{uuid of {kind} {row['id']}}}" for row in found}
        self.names[str(home)] = "{home}"
        self.names[base] = "{base}"
        self.names[urllib.parse.urlsplit(base).netloc] = "{host}"
        self.pattern = re.compile("|".join(map(re.escape, sorted(self.names, key=len, reverse=True))))
        self.back = {name: real for real, name in self.names.items()}

    def mask(self, text):
        return self.pattern.sub(lambda found: self.names[found[0]], text)

    def fill(self, value):
        """A case with this installation's own names."""
        text = json.dumps(value)
        for name, real in self.back.items():
            text = text.replace(name, real)
        return json.loads(text)


def masked(value, names, key=""):
    if (key in MASKED_KEYS or key.endswith("_humanized")) and value is not None:
        return f"{{{key}}}"
    if isinstance(value, dict):
        # roles by name: each one's permissions
        return {names.mask(k): masked(v, names, "permissions" if key == "roles" else k) for k, v in value.items()}
    if isinstance(value, list):
        items = [masked(v, names) for v in value]
        return sorted(items, key=canonical) if SETS.fullmatch(key) else items
    if isinstance(value, str):
        if value.startswith("Project-Id-Version: "):
            return "{head of the translations}"  # what gettext makes of an empty description
        # a document within a text: the order of its keys says nothing
        if value[:1] in ("{", "[") and len(value) > 1 and key != "query":
            try:
                return {"json": masked(json.loads(value), names)}
            except ValueError:
                pass
        value = names.mask(value)
        for pattern, word in TEXTS:
            value = pattern.sub(word, value)
        return " ".join(value.split()) if key == "query" else value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 1_767_225_600_000:
        return "{now}"  # milliseconds since 1970, later than the data
    return value


def canonical(value):
    return json.dumps(value, sort_keys=True)


def keys_of(value, depth):
    return {k: keys_of(v, depth - 1) for k, v in sorted(value.items())} if isinstance(value, dict) and depth else None


def page(text, names, whole):
    """A page is its title, and of what it hands to the frontend the names; `whole` also who the user is, and
    the menu."""
    title = re.search(r"<title>(.*?)</title>", text, re.S)
    found = re.search(r'data-bootstrap="([^"]*)"', text)
    bootstrap = json.loads(html.unescape(found[1])) if found else None
    kept = {"title": " ".join(title[1].split()) if title else None, "bootstrap": keys_of(bootstrap, 2)}
    if whole and bootstrap:
        kept["user"] = masked(bootstrap.get("user"), names)
        kept["menu"] = masked(bootstrap.get("common", {}).get("menu_data"), names)
        kept["flags"] = masked(bootstrap.get("common", {}).get("feature_flags"), names)
    return kept


def keep(answer, case, names):
    """What is recorded and compared of an answer."""
    kind = answer.headers.get("content-type", "")
    kept = {"status": answer.status, "type": kind.replace(" ", "").lower()}
    for name in ("location", "content-disposition"):
        if name in answer.headers:
            kept[name] = masked(answer.headers[name].removeprefix(names.back["{base}"]), names)
    if case.get("only") == "status" or not answer.body:
        return kept
    if kind.startswith("application/json"):
        body = masked(answer.json(), names)
        if case.get("unordered") and isinstance(body, dict):
            body |= {
                key: sorted(body[key], key=canonical) for key in ("ids", "result") if isinstance(body.get(key), list)
            }
        kept["json"] = body
    elif kind.startswith("text/csv"):
        rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
        kept |= {
            "mark": answer.body.startswith(b"\xef\xbb\xbf"),
            "rows": [[number(cell) for cell in row] for row in rows],
        }
    elif kind.startswith("text/html") and "<html" in answer.text:
        kept["page"] = page(answer.text, names, case.get("whole"))
    elif kind.startswith("text/"):
        kept["text"] = masked(answer.text, names)
    return kept


def number(text):
    try:
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text) else text
    except ValueError:
        return text


def differences(kept, got, path=""):
    """Where two kept answers differ, as lines; numbers may differ in what a float's last digits say."""
    if isinstance(kept, dict) and isinstance(got, dict):
        found = []
        for key in sorted(kept.keys() | got.keys()):
            if key not in kept or key not in got:
                found.append(f"{path}.{key}: only {'recorded' if key in kept else 'now'}")
            else:
                found += differences(kept[key], got[key], f"{path}.{key}")
        return found
    if isinstance(kept, list) and isinstance(got, list):
        if len(kept) != len(got):
            return [f"{path}: {len(kept)} recorded, {len(got)} now: {short(kept)} / {short(got)}"]
        return [line for i, (a, b) in enumerate(zip(kept, got)) for line in differences(a, b, f"{path}[{i}]")]
    numbers = [isinstance(v, (int, float)) and not isinstance(v, bool) for v in (kept, got)]
    if all(numbers) and math.isclose(kept, got, rel_tol=1e-9, abs_tol=1e-12):
        return []
    return [] if type(kept) is type(got) and kept == got else [f"{path}: {short(kept)} / {short(got)}"]


def short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 200 else text[:200] + "…"
