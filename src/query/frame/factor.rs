//! Turning key columns into sorted group numbers (`DataFrame.groupby`).

use std::collections::HashMap;
use std::hash::Hash;

use infra::engines::column::{ColumnData, Scalar};

use super::{cell, take};

/// A key column as codes into its sorted distinct values.
#[derive(Debug, Clone)]
pub struct Factor {
    /// Position in `values` for each row; [`Factor::NULL`] for null.
    pub codes: Vec<u32>,
    /// Distinct values in ascending order (nulls last, when kept).
    pub values: ColumnData,
}

impl Factor {
    /// Code of a row without value.
    pub const NULL: u32 = u32::MAX;
}

fn first_seen<K: Hash + Eq>(keys: impl Iterator<Item = Option<K>>) -> (Vec<u32>, Vec<usize>) {
    let mut map: HashMap<K, u32> = HashMap::new();
    let mut firsts = Vec::new();
    let codes = keys
        .enumerate()
        .map(|(row, k)| {
            let Some(k) = k else { return Factor::NULL };
            *map.entry(k).or_insert_with(|| {
                firsts.push(row);
                firsts.len() as u32 - 1
            })
        })
        .collect();
    (codes, firsts)
}

/// Codes and sorted distinct values of a column; nulls are a value of their own only with `keep_null`.
pub fn factorize(data: &ColumnData, keep_null: bool) -> Factor {
    let (mut codes, firsts) = match data {
        ColumnData::Null(n) => (vec![Factor::NULL; *n], Vec::new()),
        ColumnData::Bool(v) => first_seen(v.iter().copied()),
        ColumnData::Int(v) => first_seen(v.iter().copied()),
        ColumnData::Float(v) => first_seen(
            v.iter().map(|x| x.filter(|f| !f.is_nan()).map(|f| if f == 0.0 { 0 } else { f.to_bits() })),
        ),
        ColumnData::Text(v) => first_seen(v.iter().map(Option::as_deref)),
        ColumnData::Date(v) => first_seen(v.iter().copied()),
        ColumnData::Timestamp(v) => first_seen(v.iter().copied()),
        ColumnData::Decimal(_) | ColumnData::Object(_) => {
            first_seen((0..data.len()).map(|i| match cell::key(&data.get(i)) {
                cell::CellKey::Null => None,
                k => Some(k),
            }))
        }
    };
    let scalars: Vec<Scalar> = firsts.iter().map(|r| data.get(*r)).collect();
    let mut sorted: Vec<usize> = (0..firsts.len()).collect();
    sorted.sort_by(|a, b| match (scalars.get(*a), scalars.get(*b)) {
        (Some(x), Some(y)) => cell::order(x, y),
        _ => std::cmp::Ordering::Equal,
    });
    let mut rank = vec![0u32; firsts.len()];
    for (new, old) in sorted.iter().enumerate() {
        if let Some(slot) = rank.get_mut(*old) {
            *slot = new as u32;
        }
    }
    let nulls = codes.contains(&Factor::NULL);
    let null_code = if keep_null { firsts.len() as u32 } else { Factor::NULL };
    for c in &mut codes {
        *c = rank.get(*c as usize).copied().unwrap_or(null_code);
    }
    let mut rows: Vec<usize> = sorted.iter().filter_map(|i| firsts.get(*i).copied()).collect();
    let mut values = take(data, &rows);
    if keep_null && nulls {
        rows.push(data.len());
        values = take(data, &rows);
    }
    Factor { codes, values }
}

/// Rows by group; groups ascend by their keys.
#[derive(Debug, Clone)]
pub struct Groups {
    /// Rows sorted by group, keeping their order inside a group.
    pub rows: Vec<usize>,
    /// Where each group begins in `rows`; one more entry than groups.
    pub starts: Vec<usize>,
    /// For each group the codes of its keys.
    pub codes: Vec<Vec<u32>>,
    /// The key columns.
    pub factors: Vec<Factor>,
}

impl Groups {
    /// Number of groups.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }
    /// True without groups.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The rows of a group.
    pub fn rows_of(&self, group: usize) -> &[usize] {
        let (Some(a), Some(b)) = (self.starts.get(group), self.starts.get(group + 1)) else { return &[] };
        self.rows.get(*a..*b).unwrap_or_default()
    }
    /// The value of each group in a key column.
    pub fn key_column(&self, key: usize) -> ColumnData {
        let positions: Vec<usize> =
            self.codes.iter().filter_map(|c| c.get(key).map(|x| *x as usize)).collect();
        self.factors.get(key).map_or(ColumnData::Null(0), |f| take(&f.values, &positions))
    }
}

/// Groups rows by key columns. Rows with a null key are left out unless `keep_null`.
pub fn group(keys: &[&ColumnData], keep_null: bool) -> Groups {
    let factors: Vec<Factor> = keys.iter().map(|k| factorize(k, keep_null)).collect();
    let len = keys.first().map_or(0, |k| k.len());
    // Each key widens the number; after every key the numbers are made dense again, so they never overflow.
    let mut ids: Vec<u64> = vec![0; len];
    let mut tuples: Vec<Vec<u32>> = vec![Vec::new()];
    for f in &factors {
        let width = f.values.len().max(1) as u64;
        for (id, code) in ids.iter_mut().zip(&f.codes) {
            *id = if *id == u64::MAX || *code == Factor::NULL {
                u64::MAX
            } else {
                *id * width + u64::from(*code)
            };
        }
        let dense = tuples.len() as u64 * width <= 4 * len as u64 + 1024;
        let mut present: Vec<u64> = if dense {
            let mut seen = vec![false; tuples.len() * width as usize];
            for id in &ids {
                if let Some(s) = seen.get_mut(*id as usize) {
                    *s = true;
                }
            }
            (0..seen.len() as u64).filter(|i| seen.get(*i as usize) == Some(&true)).collect()
        } else {
            let mut v: Vec<u64> = ids.iter().copied().filter(|i| *i != u64::MAX).collect();
            v.sort_unstable();
            v.dedup();
            v
        };
        present.shrink_to_fit();
        let next: Vec<Vec<u32>> = present
            .iter()
            .map(|id| {
                let mut t = tuples.get((id / width) as usize).cloned().unwrap_or_default();
                t.push((id % width) as u32);
                t
            })
            .collect();
        if dense {
            let mut to = vec![u64::MAX; tuples.len() * width as usize];
            for (new, old) in present.iter().enumerate() {
                if let Some(s) = to.get_mut(*old as usize) {
                    *s = new as u64;
                }
            }
            for id in &mut ids {
                *id = to.get(*id as usize).copied().unwrap_or(u64::MAX);
            }
        } else {
            for id in &mut ids {
                *id = present.binary_search(id).map_or(u64::MAX, |p| p as u64);
            }
        }
        tuples = next;
    }
    let n = tuples.len();
    let mut starts = vec![0usize; n + 1];
    for id in &ids {
        if *id != u64::MAX
            && let Some(s) = starts.get_mut(*id as usize + 1)
        {
            *s += 1;
        }
    }
    for i in 1..=n {
        let before = starts.get(i - 1).copied().unwrap_or(0);
        if let Some(s) = starts.get_mut(i) {
            *s += before;
        }
    }
    let mut next = starts.clone();
    let mut rows = vec![0usize; starts.last().copied().unwrap_or(0)];
    for (row, id) in ids.iter().enumerate() {
        if *id == u64::MAX {
            continue;
        }
        if let Some(slot) = next.get_mut(*id as usize) {
            if let Some(r) = rows.get_mut(*slot) {
                *r = row;
            }
            *slot += 1;
        }
    }
    Groups { rows, starts, codes: tuples, factors }
}
