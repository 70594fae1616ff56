// What differs between two records of one page (made by compare.mjs).

// parts of an address that are made anew on each visit
const VOLATILE = [
  [/(form_data_key|native_filters_key|dataset_key)=[\w-]+/g, "$1=…"],
  [/(\/filter_state|\/explore\/form_data|\/permalink|\/p)\/[\w-]{8,}/g, "$1/…"],
  [/(explode=events&dashboard_id|explode=events&slice_id|explode=events).*/, "$1"],
  [/([?&](_|bust|timestamp))=\d+/g, "$1=…"],
  [/http:\/\/127\.0\.0\.1:\d+/g, ""],
  [/20\d\d-\d\d-\d\dT[\d:.%A-F]+Z?/g, "…"],
];
const mask = (text) => VOLATILE.reduce((masked, [from, to]) => masked.replace(from, to), decoded(text));
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a body of its own, or a bare %
  }
}
const failed = (call) => typeof call.status !== "number" || call.status >= 400;

// what differs between two runs of one server as well
const PASSING = new Set([
  "cache_key",
  "cached_dttm",
  "is_cached",
  "query",
  "stacktrace",
  "duration",
  "cache_timeout",
  "csv_data",
]);

// moments relative to now, and the two sides are asked one after the other
const MOMENT = /\.(from|to)_dttm$/;

function unlike(a, b, at = "") {
  if (MOMENT.test(at) && Math.abs(a - b) < 3_600_000) return null;
  if (typeof a === "number" && typeof b === "number")
    return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b)) ? null : `${at}: ${a} ≠ ${b}`;
  if (
    a === null ||
    b === null ||
    typeof a !== "object" ||
    typeof b !== "object" ||
    Array.isArray(a) !== Array.isArray(b)
  ) {
    return a === b ? null : `${at}: ${short(a)} ≠ ${short(b)}`;
  }
  if (Array.isArray(a) && a.length !== b.length) return `${at}: ${a.length} elements ≠ ${b.length}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (PASSING.has(key)) continue;
    if (!(key in a) || !(key in b)) return `${at}.${key} only on ${key in a ? "liteset" : "the oracle"}`;
    const found = unlike(a[key], b[key], `${at}.${key}`);
    if (found) return found;
  }
  return null;
}
const short = (value) => `${JSON.stringify(value)}`.slice(0, 80);

// rows without an order of their own come in any
const sorted = (answer) => {
  const copy = structuredClone(answer);
  for (const result of Array.isArray(copy?.result) ? copy.result : []) {
    if (Array.isArray(result?.data)) result.data.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return copy;
};

const byKey = (calls) => {
  const groups = new Map();
  for (const call of calls) {
    const key = `${call.method} ${mask(call.path)}`;
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return groups;
};

function answers(ours, theirs) {
  const rest = theirs.filter((call) => call.question !== undefined);
  const found = [];
  let charts = 0;
  for (const call of ours.filter((c) => c.question !== undefined)) {
    const twin = (other) =>
      mask(other.path) === mask(call.path) && mask(other.question ?? "") === mask(call.question ?? "");
    let i = rest.findIndex(twin);
    if (i < 0) i = rest.findIndex((other) => mask(other.path) === mask(call.path));
    if (i < 0) continue;
    const [other] = rest.splice(i, 1);
    charts += 1;
    const difference = unlike(call.answer, other.answer) && unlike(sorted(call.answer), sorted(other.answer));
    if (difference) found.push(`answer of ${mask(call.path)} differs at ${difference}`);
    else if (unlike(call.answer, other.answer)) found.push(`(order of rows only) ${mask(call.path)}`);
  }
  return { found, charts };
}

export function differences(ours, theirs) {
  const found = [];
  const here = byKey(ours.calls);
  const there = byKey(theirs.calls);
  for (const [key, calls] of here) {
    const other = there.get(key);
    const bad = calls.find(failed);
    if (bad && !other?.some(failed)) found.push(`fails on liteset only: ${key} → ${bad.status}`);
    else if (!other) found.push(`only on liteset: ${key} → ${calls[0].status}`);
    else if (calls[0].status !== other[0].status)
      found.push(`status of ${key}: ${calls[0].status} ≠ ${other[0].status}`);
  }
  for (const [key, calls] of there) if (!here.has(key)) found.push(`only on the oracle: ${key} → ${calls[0].status}`);
  const data = answers(ours.calls, theirs.calls);
  found.push(...data.found);
  for (const what of ["alerts", "unsettled", "broken"]) {
    if (JSON.stringify(ours[what]) !== JSON.stringify(theirs[what]))
      found.push(`${what}: ${JSON.stringify(ours[what])} ≠ ${JSON.stringify(theirs[what])}`);
  }
  const known = new Set(theirs.complaints.map(mask));
  for (const complaint of new Set(ours.complaints.map(mask)))
    if (!known.has(complaint)) found.push(`complaint: ${complaint}`);
  return { found, requests: ours.calls.length, charts: data.charts };
}
