//! Folders of columns and metrics (`superset.commands.dataset.update:validate_folders`).

use std::collections::HashSet;

use daos::dataset;
use infra::{Result, db::Executor};
use serde_json::Value;
use uuid::Uuid;

use crate::{Services, relations::Invalid};

/// Complains about folders that name what is not there, themselves, or something twice.
pub(super) async fn validate(
    app: &Services,
    db: &dyn Executor,
    id: i64,
    folders: &[Value],
    invalid: &mut Invalid,
) -> Result<()> {
    if !app.config.flag("DATASET_FOLDERS") {
        invalid.add("_schema", "Dataset folders are not enabled");
        return Ok(());
    }
    let columns = dataset::columns(db, &[id]).await?.remove(&id).unwrap_or_default();
    let metrics = dataset::metrics(db, &[id]).await?.remove(&id).unwrap_or_default();
    let known = columns.iter().filter_map(|c| c.uuid).chain(metrics.iter().filter_map(|m| m.uuid));
    if let Some(text) = fault(folders, &known.collect()) {
        invalid.add("_schema", &text);
    }
    Ok(())
}

fn fault(folders: &[Value], known: &HashSet<Uuid>) -> Option<String> {
    let (mut uuids, mut names) = (HashSet::new(), HashSet::new());
    let mut queue: std::collections::VecDeque<(&Value, Vec<Uuid>)> =
        folders.iter().map(|f| (f, Vec::new())).collect();
    while let Some((folder, mut path)) = queue.pop_front() {
        let uuid = folder.get("uuid").and_then(Value::as_str).and_then(|u| Uuid::parse_str(u).ok())?;
        if path.contains(&uuid) {
            return Some(format!("Cycle detected: {uuid} appears in its ancestry"));
        }
        if !uuids.insert(uuid) {
            return Some(format!("Duplicate UUID in folder structure: {uuid}"));
        }
        match folder.get("name").and_then(Value::as_str).filter(|n| !n.is_empty()) {
            Some(name) => {
                if !names.insert((path.clone(), name.to_owned())) {
                    return Some(format!("Duplicate folder name: {name}"));
                }
                if matches!(name.to_lowercase().as_str(), "metrics" | "columns") {
                    return Some(format!("Folder cannot have name '{name}'"));
                }
            }
            None if !known.contains(&uuid) => return Some(format!("Invalid UUID: {uuid}")),
            None => {}
        }
        if let Some(children) = folder.get("children").and_then(Value::as_array) {
            path.push(uuid);
            queue.extend(children.iter().map(|child| (child, path.clone())));
        }
    }
    None
}
