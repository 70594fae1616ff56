//! How much memory a process takes with all that it has started.

use std::{collections::HashMap, fs};

/// Megabytes of memory that nobody else uses, of a process and its descendants; none where the system does not tell.
pub(super) fn of_family(root: u32) -> Option<u64> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = parent(id) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut family = vec![root];
    let mut kilobytes = 0;
    while let Some(id) = family.pop() {
        kilobytes += own(id).unwrap_or(0);
        family.extend(children.remove(&id).into_iter().flatten());
    }
    Some(kilobytes >> 10)
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // the name stands in parentheses and may hold any character
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Kilobytes that are neither files nor in swap.
fn own(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(field("RssAnon:")? + field("RssShmem:").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_takes_some_memory() {
        let megabytes = super::of_family(std::process::id()).unwrap();
        assert!((1..1 << 20).contains(&megabytes), "{megabytes}");
    }
}
