//! Which folders of a layer depend on which, and where that runs in a circle.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::source::{self, Source};

/// Room → the rooms it names → a file that does.
type Edges = BTreeMap<String, BTreeMap<String, String>>;

/// The circles of a layer, one line each: every edge of it with a file that has it.
pub fn of_crate(name: &str) -> Vec<String> {
    let files = source::of_crate(name);
    let prefix = format!("src/{name}/");
    let room_of = |source: &Source| {
        let rest = source.path.strip_prefix(&prefix).unwrap_or(&source.path);
        let first = rest.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first).to_owned()
    };
    let rooms: BTreeSet<String> = files.iter().map(room_of).filter(|room| room != "lib").collect();
    let exported =
        files.iter().find(|file| file.path == format!("{prefix}lib.rs")).map(exports).unwrap_or_default();
    let mut edges = Edges::new();
    for file in files.iter().filter(|file| !file.is_test() && room_of(file) != "lib") {
        let room = room_of(file);
        let code = file.code().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        for name in named(&code) {
            let target = exported.get(&name).cloned().unwrap_or(name);
            if target != room && rooms.contains(&target) {
                edges.entry(room.clone()).or_default().entry(target).or_insert_with(|| file.path.clone());
            }
        }
    }
    rooms.iter().filter_map(|room| circle(room, &edges)).collect()
}

/// What the layer's `lib.rs` exports by a name of its own: name → room.
fn exports(lib: &Source) -> BTreeMap<String, String> {
    let statement = Regex::new(r"(?s)pub use (\w+)::([^;]+);").unwrap();
    let word = Regex::new(r"\w+").unwrap();
    let mut found = BTreeMap::new();
    for caught in statement.captures_iter(&lib.text) {
        for name in word.find_iter(&caught[2]) {
            found.insert(name.as_str().to_owned(), caught[1].to_owned());
        }
    }
    found
}

/// The first segments after `crate::`, grouped imports included.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(heads(group)),
            None => found.extend(word(rest)),
        }
    }
    found
}

/// The first words of the parts of `a::b, c::{d, e}, f}`.
fn heads(group: &str) -> BTreeSet<String> {
    let (mut depth, mut found, mut expected) = (0_i32, BTreeSet::new(), true);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            sign if expected && !sign.is_whitespace() => {
                found.extend(word(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The shortest way from a room back to itself, said once: by its smallest room.
fn circle(start: &str, edges: &Edges) -> Option<String> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(room) = open.pop_front() {
        for next in edges.get(room).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut way = vec![room];
                while let Some(before) = came_from.get(way[way.len() - 1]) {
                    way.push(before);
                }
                way.reverse();
                let smallest = way.iter().min().copied();
                let steps = way
                    .iter()
                    .zip(way.iter().cycle().skip(1))
                    .map(|(a, b)| format!("{a} → {b} ({})", edges[*a][*b]));
                return (smallest == Some(start)).then(|| steps.collect::<Vec<_>>().join(", "));
            }
            if next != start && !came_from.contains_key(next.as_str()) {
                came_from.insert(next, room);
                open.push_back(next);
            }
        }
    }
    None
}
