//! How exported files are written: `CSV_EXPORT` and `EXCEL_EXPORT`, which Superset hands to pandas.

use indexmap::IndexMap;
use serde_json::Value;

use crate::encoding::Encoding;

/// Arguments of `pandas.DataFrame.to_csv` that are taken over.
const CSV: &[&str] = &[
    "date_format",
    "decimal",
    "encoding",
    "float_format",
    "header",
    "lineterminator",
    "na_rep",
    "quotechar",
    "quoting",
    "sep",
];

/// Arguments of `pandas.DataFrame.to_excel` that are taken over.
const EXCEL: &[&str] = &[
    "float_format",
    "freeze_panes",
    "header",
    "index",
    "inf_rep",
    "na_rep",
    "sheet_name",
    "startcol",
    "startrow",
];

/// Values that make no sense, as they make none to pandas.
pub(super) fn complaints(values: &IndexMap<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    let text = |key: &str, name: &str| values.get(key).and_then(|of| of.get(name)?.as_str());
    for name in ["sep", "decimal", "quotechar"] {
        if text("CSV_EXPORT", name).is_some_and(|text| text.chars().count() != 1) {
            found.push(format!("CSV_EXPORT: {name} is not one character"));
        }
    }
    if let Some(name) = text("CSV_EXPORT", "encoding")
        && Encoding::named(name).is_none()
    {
        found.push(format!("CSV_EXPORT: {name:?} is no encoding that liteset knows"));
    }
    if let Some(name) = text("EXCEL_EXPORT", "sheet_name")
        && (name.is_empty()
            || name.chars().count() > 31
            || name.contains(['[', ']', ':', '*', '?', '/', '\\']))
    {
        found.push(
            "EXCEL_EXPORT: sheet_name is no name of a sheet (31 characters, none of []:*?/\\)".to_owned(),
        );
    }
    found
}

/// Arguments that have no effect.
pub(super) fn warnings(values: &IndexMap<String, Value>) -> Vec<String> {
    let of = |key: &str, known: &[&str]| {
        let all = values.get(key).and_then(Value::as_object).into_iter().flatten();
        let is_format = |name: &str, value: &Value| {
            name != "float_format"
                || value.as_str().is_some_and(|text| text.starts_with("%.") && text.ends_with('f'))
        };
        let others = all.filter(|(name, value)| !known.contains(&name.as_str()) || !is_format(name, value));
        let others: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
        (!others.is_empty()).then(|| format!("{key}: without effect in liteset: {}", others.join(", ")))
    };
    [of("CSV_EXPORT", CSV), of("EXCEL_EXPORT", EXCEL)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told() {
        let of = |csv: Value, excel: Value| {
            let values = IndexMap::from([("CSV_EXPORT".to_owned(), csv), ("EXCEL_EXPORT".to_owned(), excel)]);
            (complaints(&values).len(), warnings(&values))
        };
        let good = of(
            json!({"encoding": "cp1252", "sep": ";", "decimal": ",", "float_format": "%.3f"}),
            json!({"sheet_name": "Data"}),
        );
        assert_eq!(good, (0, vec![]));
        let bad = of(
            json!({"encoding": "utf-9", "sep": ";;", "float_format": "{:,.2f}", "errors": "ignore"}),
            json!({"sheet_name": "a/b", "engine": "x"}),
        );
        let warnings = vec![
            "CSV_EXPORT: without effect in liteset: float_format, errors".to_owned(),
            "EXCEL_EXPORT: without effect in liteset: engine".to_owned(),
        ];
        assert_eq!(bad, (3, warnings));
    }
}
