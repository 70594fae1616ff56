//! Reading back an exported CSV with pandas' guesses of types (`pd.read_csv`).

use infra::engines::column::ColumnData;

use crate::frame::{Column, Frame};

const NULLS: [&str; 18] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "null",
];

/// The table of a CSV text; the first line names the columns.
pub fn read_csv(text: &str) -> Frame {
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut rows = parse(text).into_iter();
    let Some(header) = rows.next() else { return Frame::default() };
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (i, name) in header.into_iter().enumerate() {
        let base = if name.is_empty() { format!("Unnamed: {i}") } else { name };
        let mut unique = base.clone();
        let mut n = 0;
        while names.contains(&unique) {
            n += 1;
            unique = format!("{base}.{n}");
        }
        names.push(unique);
    }
    let mut columns: Vec<Vec<Option<Box<str>>>> = vec![Vec::new(); names.len()];
    for row in rows {
        let mut cells = row.into_iter();
        for c in &mut columns {
            c.push(
                cells
                    .next()
                    .filter(|s| s != "nan" && !NULLS.contains(&s.as_str()))
                    .map(String::into_boxed_str),
            );
        }
    }
    Frame::new(names.into_iter().zip(columns).map(|(n, c)| Column::new(n, typed(c))).collect())
}

fn typed(values: Vec<Option<Box<str>>>) -> ColumnData {
    let present = || values.iter().flatten();
    let full = values.iter().all(Option::is_some);
    if present().next().is_none() {
        return ColumnData::Float(vec![None; values.len()]);
    }
    if full && let Some(v) = present().map(|s| s.trim().parse::<i64>().ok()).collect::<Option<Vec<_>>>() {
        return ColumnData::Int(v.into_iter().map(Some).collect());
    }
    if present().all(|s| is_number(s.trim())) {
        return ColumnData::Float(
            values.iter().map(|v| v.as_deref().and_then(|s| s.trim().parse().ok())).collect(),
        );
    }
    let boolean = |s: &str| match s {
        "True" | "TRUE" | "true" => Some(true),
        "False" | "FALSE" | "false" => Some(false),
        _ => None,
    };
    if present().all(|s| boolean(s).is_some()) {
        return ColumnData::Bool(values.iter().map(|v| v.as_deref().and_then(boolean)).collect());
    }
    ColumnData::Text(values)
}

fn is_number(s: &str) -> bool {
    s.parse::<f64>().is_ok() && !s.to_ascii_lowercase().ends_with("infinity")
}

fn parse(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let (mut quoted, mut started) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted => {
                if chars.peek() == Some(&'"') {
                    chars.next();
                    field.push('"');
                } else {
                    quoted = false;
                }
            }
            '"' if field.is_empty() => {
                quoted = true;
                started = true;
            }
            ',' if !quoted => {
                row.push(std::mem::take(&mut field));
                started = true;
            }
            '\n' | '\r' if !quoted => {
                // Blank lines are skipped.
                if started || !field.is_empty() || !row.is_empty() {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                started = false;
            }
            c => field.push(c),
        }
    }
    if started || !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_guessed() {
        let f = read_csv("a,b,c,d,a\n1,x,1.5,True,\"p,\"\"q\"\"\"\n2,NULL,,False,z\n");
        let names: Vec<_> = f.columns.iter().filter_map(|c| c.label.text()).collect();
        assert_eq!(names, ["a", "b", "c", "d", "a.1"]);
        assert_eq!(f.columns[0].data, ColumnData::Int(vec![Some(1), Some(2)]));
        assert_eq!(f.columns[1].data, ColumnData::Text(vec![Some("x".into()), None]));
        assert_eq!(f.columns[2].data, ColumnData::Float(vec![Some(1.5), None]));
        assert_eq!(f.columns[3].data, ColumnData::Bool(vec![Some(true), Some(false)]));
        assert_eq!(f.columns[4].data, ColumnData::Text(vec![Some("p,\"q\"".into()), Some("z".into())]));
    }
}
