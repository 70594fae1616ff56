//! The tabs of a dashboard's layout (`Dashboard.tabs`).

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value, json};

/// `{"all_tabs": {id: title}, "tab_tree": […]}`; nothing for a dashboard without layout. `None` when the layout is
/// broken: it names parts that it does not have.
pub fn tabs(position_json: Option<&str>) -> Option<Value> {
    let text = position_json.unwrap_or_default();
    if text.is_empty() {
        return Some(json!({}));
    }
    let Ok(Value::Object(layout)) = serde_json::from_str::<Value>(text) else { return None };
    if layout.is_empty() {
        return Some(json!({}));
    }
    let mut walk = Walk { layout: &layout, lists: vec![Vec::new()], seen: HashSet::new(), all: Map::new() };
    let mut queue = VecDeque::from([("ROOT_ID".to_owned(), 0)]);
    while let Some((id, list)) = queue.pop_front() {
        walk.visit(&id, list, &mut queue)?;
    }
    let tree = walk.render(0, 0);
    Some(json!({"all_tabs": walk.all, "tab_tree": tree}))
}

/// Deeper trees than this are no layout that the editor makes.
const MAX_DEPTH: usize = 100;

struct Tab {
    id: String,
    children: Option<usize>,
}

struct Walk<'a> {
    layout: &'a Map<String, Value>,
    lists: Vec<Vec<Tab>>,
    seen: HashSet<String>,
    all: Map<String, Value>,
}

impl Walk<'_> {
    /// Looks at one part of the layout: tabs are collected in `list`, what lies below goes to the queue.
    fn visit(&mut self, id: &str, list: usize, queue: &mut VecDeque<(String, usize)>) -> Option<()> {
        let node = self.layout.get(id)?;
        // the original would walk a layout that contains itself for ever
        if !self.seen.insert(id.to_owned()) {
            return Some(());
        }
        let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
        let below = self.lists.len();
        self.lists.push(Vec::new());
        for child in node.get("children").and_then(Value::as_array).into_iter().flatten() {
            let child = child.as_str()?.to_owned();
            self.layout.get(&child)?;
            match kind {
                "TABS" => {
                    self.lists.get_mut(list)?.push(Tab { id: child.clone(), children: None });
                    queue.push_back((child, below));
                }
                "GRID" | "ROOT" => queue.push_back((child, list)),
                "TAB" => queue.push_back((child, below)),
                _ => {}
            }
        }
        if kind == "TAB" {
            let title = node.pointer("/meta/text")?;
            self.all.insert(id.to_owned(), title.clone());
            for tab in self.lists.iter_mut().flatten().filter(|t| t.id == id) {
                tab.children = Some(below);
            }
        }
        Some(())
    }

    fn render(&self, list: usize, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return json!([]);
        }
        let tabs = self.lists.get(list).map(Vec::as_slice).unwrap_or_default();
        tabs.iter().map(|tab| self.render_tab(tab, depth)).collect()
    }

    fn render_tab(&self, tab: &Tab, depth: usize) -> Value {
        let mut out = Map::new();
        let node = self.layout.get(&tab.id);
        if let Some(children) = tab.children {
            out.insert("children".into(), self.render(children, depth + 1));
            out.insert("value".into(), json!(tab.id));
            out.insert("title".into(), self.all.get(&tab.id).cloned().unwrap_or_default());
        }
        if let Some(parents) = node.and_then(|n| n.get("parents")) {
            out.insert("parents".into(), parents.clone());
        }
        Value::Object(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_tabs() {
        let layout = json!({
            "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["TABS-1"]},
            "TABS-1": {"id": "TABS-1", "type": "TABS", "children": ["TAB-a", "TAB-b"]},
            "TAB-a": {"id": "TAB-a", "type": "TAB", "children": ["TABS-2"], "meta": {"text": "A"},
                "parents": ["ROOT_ID"]},
            "TAB-b": {"id": "TAB-b", "type": "TAB", "children": ["ROW-1"], "meta": {"text": "B"}},
            "TABS-2": {"id": "TABS-2", "type": "TABS", "children": ["TAB-c"]},
            "TAB-c": {"id": "TAB-c", "type": "TAB", "children": [], "meta": {"text": "C"}},
            "ROW-1": {"id": "ROW-1", "type": "ROW", "children": []},
        });
        let got = tabs(Some(&layout.to_string())).unwrap();
        assert_eq!(got["all_tabs"], json!({"TAB-a": "A", "TAB-b": "B", "TAB-c": "C"}));
        assert_eq!(
            got["tab_tree"],
            json!([
                {"children": [{"children": [], "value": "TAB-c", "title": "C"}], "value": "TAB-a", "title": "A",
                 "parents": ["ROOT_ID"]},
                {"children": [], "value": "TAB-b", "title": "B"},
            ])
        );
    }

    #[test]
    fn hostile_layouts_end() {
        let loop_ = json!({"ROOT_ID": {"type": "ROOT", "children": ["G"]}, "G": {"type": "GRID",
            "children": ["ROOT_ID"]}});
        assert_eq!(tabs(Some(&loop_.to_string())).unwrap()["tab_tree"], json!([]));
        assert_eq!(tabs(Some(r#"{"ROOT_ID": {"type": "ROOT", "children": ["nope"]}}"#)), None);
        assert_eq!(tabs(Some("[")), None);
        assert_eq!(tabs(None), Some(json!({})));
    }
}
