//! `pivot_table_v2`: pivot, fractions, totals and subtotals.

use std::collections::HashMap;

use infra::engines::column::{ColumnData, Scalar};
use serde_json::{Map, Value};

use super::unify;
use crate::frame::{
    Column, Dtype, Frame, FrameError, Index, IndexLevel, Label, Result, concat_data, dtype, float_column,
    from_scalars, is_na, order, python, to_float, to_numeric_coerce,
};
use crate::post_processing::arithmetic::{self, Op};
use crate::post_processing::numpy::{self, Function};
use crate::post_processing::pivot::{Request, all_null, pivot_table};

/// Stands for null in labels while pandas would drop them.
const PLACEHOLDER: &str = "SUPERSET_PANDAS_NAN";

/// How cells and totals are computed.
#[derive(Clone, Copy)]
struct Aggregate {
    function: Function,
    /// Totals need a function that works along an axis; the others fail there in Superset.
    totals: bool,
}

fn aggregate(name: &str) -> Result<Aggregate> {
    let (function, totals) = match name {
        "Count"
        | "Count as Fraction of Total"
        | "Count as Fraction of Rows"
        | "Count as Fraction of Columns" => (Function::Present, false),
        "Count Unique Values" => (Function::Unique, false),
        "List Unique Values" => (Function::ListUnique, false),
        "Sum" | "Sum as Fraction of Total" | "Sum as Fraction of Rows" | "Sum as Fraction of Columns" => {
            (Function::Sum { array: false }, true)
        }
        "Average" => (Function::Mean { array: false }, true),
        "Median" => (Function::Median { skip_null: true }, true),
        "Minimum" => (Function::Extreme { max: false, array: false }, true),
        "Maximum" => (Function::Extreme { max: true, array: false }, true),
        "First" => (Function::Edge { last: false }, false),
        "Last" => (Function::Edge { last: true }, false),
        "Sample Variance" | "Sample Standard Deviation" => (Function::SampleSpread, false),
        other => return Err(FrameError::unexpected(format!("'{other}'"))),
    };
    Ok(Aggregate { function, totals })
}

/// Labels of columns or metrics in form data.
fn labels(value: Option<&Value>, verbose: &HashMap<String, String>) -> Vec<String> {
    let shown = |s: &str| verbose.get(s).map_or_else(|| s.to_owned(), Clone::clone);
    let items: Vec<&Value> = match value {
        Some(Value::Array(a)) => a.iter().collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![other],
    };
    items
        .into_iter()
        .filter_map(|v| match v {
            Value::String(s) if !s.is_empty() => Some(shown(s)),
            Value::Object(o) => ["label", "sqlExpression"]
                .iter()
                .find_map(|k| o.get(*k).and_then(Value::as_str).filter(|s| !s.is_empty()))
                .map(str::to_owned),
            _ => None,
        })
        .collect()
}

pub(super) fn pivot_table_v2(
    frame: &Frame,
    form: &Map<String, Value>,
    verbose: &HashMap<String, String>,
) -> Result<Frame> {
    if !form.contains_key("metrics") {
        return Err(FrameError::unexpected("'metrics'"));
    }
    let truthy = |key: &str| crate::form_data::truthy(form.get(key));
    let mut rows = labels(form.get("groupbyRows"), verbose);
    let mut columns = labels(form.get("groupbyColumns"), verbose);
    let metrics = labels(form.get("metrics"), verbose);
    let name = match form.get("aggregateFunction") {
        None => "Sum",
        Some(v) => v
            .as_str()
            .ok_or_else(|| FrameError::unexpected("'NoneType' object has no attribute 'endswith'"))?,
    };
    let agg = aggregate(name)?;
    let total_name = format!("Total ({name})");
    if truthy("transposePivot") {
        std::mem::swap(&mut rows, &mut columns);
    }
    let on_rows = form.get("metricsLayout").and_then(Value::as_str) == Some("ROWS");
    if on_rows {
        std::mem::swap(&mut rows, &mut columns);
    }
    let mut table = pivoted(frame, &rows, &columns, &metrics, agg.function, &total_name)?;
    let tuple = name == "Sample Standard Deviation";
    if tuple && !(rows.is_empty() && columns.is_empty()) {
        // Superset passes a tuple of functions here, and pandas adds a level with the function's name.
        for c in &mut table.columns {
            let mut levels = c.label.levels().to_vec();
            levels.insert(levels.len().min(1), Scalar::Text("<lambda>".into()));
            c.label = Label::Levels(levels);
        }
        table.multi = true;
    }
    if truthy("combineMetric") && table.multi {
        combine(&mut table, &metrics);
    } else if !rows.is_empty() || !columns.is_empty() {
        table = by_metrics(table, &metrics)?;
    }
    table = fractions(table, name, on_rows)?;
    table.columns.iter_mut().for_each(|c| {
        if let Label::Flat(s) = &c.label {
            c.label = Label::Levels(vec![Scalar::Text(python::str_of(s).into())]);
        }
    });
    table.multi = true;
    table.index = multi_index(table.index);
    if truthy("rowTotals") {
        column_subtotals(&mut table, agg, tuple, on_rows, &total_name)?;
    }
    if !rows.is_empty() && truthy("colTotals") {
        row_subtotals(&mut table, agg, tuple, &total_name)?;
    }
    if on_rows {
        table = transposed(table);
    }
    Ok(without_placeholder(table))
}

fn pivoted(
    frame: &Frame,
    rows: &[String],
    columns: &[String],
    metrics: &[String],
    function: Function,
    total_name: &str,
) -> Result<Frame> {
    if rows.is_empty() && columns.is_empty() {
        let n = frame.row_count();
        let mut names: Vec<Scalar> = (0..n).map(|i| Scalar::Int(i as i64)).collect();
        if let Some(last) = names.last_mut() {
            *last = Scalar::Text(total_name.into());
        }
        let mut out = frame.clone();
        out.index = Index::Flat(IndexLevel { name: None, data: from_scalars(names) });
        return Ok(out);
    }
    let mut source = frame.clone();
    for c in &mut source.columns {
        // `Series.median` computes in floats, decimals or not.
        if matches!(function, Function::Median { .. })
            && let ColumnData::Decimal(_) = c.data
            && c.label.text().is_some_and(|t| metrics.iter().any(|m| m == t))
        {
            c.data = float_column(to_float(&c.data).unwrap_or_default());
        }
        crate::post_processing::pivot::fill_nulls(&mut c.data, &Scalar::Text(PLACEHOLDER.into()));
    }
    if let Some(missing) = rows.iter().chain(columns).chain(metrics).find(|n| !source.has(n)) {
        return Err(FrameError::unexpected(format!("'{missing}'")));
    }
    // Without rows the metrics move to the rows and back, which leaves the last column level as columns.
    let (index, over): (&[String], &[String]) = match (rows, columns) {
        ([], [.., _]) => columns.split_at(columns.len() - 1),
        _ => (rows, columns),
    };
    let mut values: Vec<(&str, Function)> = Vec::new();
    for m in metrics {
        if !values.iter().any(|(v, _)| v == m) {
            values.push((m, function));
        }
    }
    let request = Request {
        index: index.iter().map(String::as_str).collect(),
        columns: over.iter().map(String::as_str).collect(),
        values,
        fill: None,
        drop_missing: true,
    };
    let mut table = pivot_table(&source, &request)?;
    table.columns.retain(|c| !all_null(&c.data));
    if rows.is_empty() {
        unify(&mut table.columns);
        let n = table.row_count().max(1);
        let mut names: Vec<Scalar> = if index.is_empty() {
            vec![Scalar::Null; n]
        } else {
            (0..n).map(|i| table.index.row(i).into_iter().next().unwrap_or(Scalar::Null)).collect()
        };
        if let Some(last) = names.last_mut() {
            *last = Scalar::Text(total_name.into());
        }
        table.index = Index::Flat(IndexLevel { name: None, data: from_scalars(names) });
    }
    Ok(table)
}

/// Moves the metric to the last level and orders columns by group, then by the order of the metrics.
fn combine(table: &mut Frame, metrics: &[String]) {
    for c in &mut table.columns {
        if let Label::Levels(v) = &mut c.label
            && !v.is_empty()
        {
            v.rotate_left(1);
        }
    }
    let place = |s: &Scalar| match s {
        Scalar::Text(t) => metrics.iter().position(|m| **m == **t).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    table.columns.sort_by(|a, b| {
        let (x, y) = (a.label.levels(), b.label.levels());
        let groups = x.len().saturating_sub(1);
        x.iter()
            .zip(y)
            .take(groups)
            .map(|(p, q)| order(p, q))
            .find(|o| o.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
            .then_with(|| match (x.last(), y.last()) {
                (Some(p), Some(q)) => place(p).cmp(&place(q)),
                _ => std::cmp::Ordering::Equal,
            })
    });
}

/// `df[metrics]`.
fn by_metrics(table: Frame, metrics: &[String]) -> Result<Frame> {
    let mut columns = Vec::with_capacity(table.columns.len());
    for m in metrics {
        let before = columns.len();
        columns.extend(table.columns.iter().filter(|c| c.label.first_text() == Some(m)).cloned());
        if columns.len() == before {
            return Err(FrameError::unexpected(format!("\"['{m}'] not in index\"")));
        }
    }
    Ok(Frame { columns, ..table })
}

fn fractions(mut table: Frame, name: &str, on_rows: bool) -> Result<Frame> {
    if name.ends_with(" as Fraction of Total") {
        return Err(FrameError::unexpected("'numpy.int64' object has no attribute 'dtypes'"));
    }
    let of_columns = name.ends_with(" as Fraction of Columns");
    if !of_columns && !name.ends_with(" as Fraction of Rows") {
        return Ok(table);
    }
    if of_columns != on_rows {
        for c in &mut table.columns {
            let total = from_scalars(vec![arithmetic::sum(&c.data)?; c.data.len()]);
            c.data = arithmetic::columns(Op::Div, &c.data, &total)?;
        }
    } else {
        let sums = along_rows(&table, 0..table.columns.len(), Function::Sum { array: false })?;
        for c in &mut table.columns {
            c.data = arithmetic::columns(Op::Div, &c.data, &sums)?;
        }
    }
    Ok(table)
}

/// A function over the cells of each row.
fn along_rows(table: &Frame, range: std::ops::Range<usize>, f: Function) -> Result<ColumnData> {
    let columns: Vec<&Column> = table.columns.get(range).unwrap_or_default().iter().collect();
    let types: Vec<Dtype> = columns.iter().map(|c| dtype(&c.data)).collect();
    let float = types.contains(&Dtype::Float) && types.iter().all(|t| t.is_number());
    let values = (0..table.row_count())
        .map(|row| {
            let cells: Vec<Scalar> = columns.iter().map(|c| c.data.get(row)).collect();
            let rows: Vec<usize> = (0..cells.len()).collect();
            let mut data = from_scalars(cells);
            if float {
                data = float_column(to_float(&data).unwrap_or_default());
            }
            numpy::apply(f, &data, &rows)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(from_scalars(values))
}

fn multi_index(index: Index) -> Index {
    match index {
        Index::Multi(v) => Index::Multi(v),
        other => {
            let levels = other.into_levels();
            Index::Multi(
                levels
                    .into_iter()
                    .map(|l| IndexLevel {
                        name: None,
                        data: ColumnData::Text(
                            (0..l.data.len()).map(|i| Some(python::str_of(&l.data.get(i)).into())).collect(),
                        ),
                    })
                    .collect(),
            )
        }
    }
}

fn no_axis(agg: Aggregate, tuple: bool) -> FrameError {
    if tuple {
        return FrameError::unexpected("'tuple' object is not callable");
    }
    FrameError::unexpected(match agg.function {
        Function::Present => "Series.count() got an unexpected keyword argument 'axis'",
        Function::Unique => "Series.nunique() got an unexpected keyword argument 'axis'",
        Function::ListUnique => "list_unique_values() got an unexpected keyword argument 'axis'",
        _ => "<lambda>() got an unexpected keyword argument 'axis'",
    })
}

/// The groups of a level, each as the stretch of labels that begin with it.
fn stretches(
    labels: &[Vec<Scalar>],
    groups: &[Vec<Scalar>],
    level: usize,
) -> Result<Vec<(Vec<Scalar>, usize, usize)>> {
    let mut out: Vec<(Vec<Scalar>, usize, usize)> = Vec::new();
    for g in groups {
        let head = g.get(..level).unwrap_or_default();
        if out.iter().any(|(h, ..)| h == head) {
            continue;
        }
        let at: Vec<usize> =
            labels.iter().enumerate().filter(|(_, l)| l.get(..level) == Some(head)).map(|(i, _)| i).collect();
        let (Some(first), Some(last)) = (at.first().copied(), at.last().copied()) else { continue };
        if last - first + 1 != at.len() {
            return Err(FrameError::unexpected("'numpy.ndarray' object has no attribute 'stop'"));
        }
        out.push((head.to_vec(), first, last + 1));
    }
    // From the end, so that what is inserted does not move the stretches still to come.
    out.sort_by_key(|s| std::cmp::Reverse(s.2));
    Ok(out)
}

fn total_label(head: &[Scalar], level: usize, depth: usize, total_name: &str) -> Vec<Scalar> {
    let mut label = head.to_vec();
    label.push(Scalar::Text(if level == 0 { total_name } else { "Subtotal" }.into()));
    while label.len() < depth {
        label.push(Scalar::Text("".into()));
    }
    label
}

fn column_subtotals(
    table: &mut Frame,
    agg: Aggregate,
    tuple: bool,
    on_rows: bool,
    total_name: &str,
) -> Result<()> {
    if !agg.totals {
        return Err(no_axis(agg, tuple));
    }
    // Only numeric columns get a real null here, and those have no placeholder: in all others it becomes a text.
    let null = if on_rows { Scalar::Float(f64::NAN) } else { Scalar::Text("nan".into()) };
    for c in &mut table.columns {
        replace_placeholder(&mut c.data, &null);
    }
    let groups: Vec<Vec<Scalar>> = table.columns.iter().map(|c| c.label.levels().to_vec()).collect();
    let depth = groups.first().map_or(1, Vec::len);
    for level in 0..depth {
        let labels: Vec<Vec<Scalar>> = table.columns.iter().map(|c| c.label.levels().to_vec()).collect();
        for (head, start, stop) in stretches(&labels, &groups, level)? {
            let data = along_rows(table, start..stop, agg.function)?;
            let label = Label::Levels(total_label(&head, level, depth, total_name));
            table.columns.insert(stop, Column { label, data });
        }
    }
    Ok(())
}

fn row_subtotals(table: &mut Frame, agg: Aggregate, tuple: bool, total_name: &str) -> Result<()> {
    if !agg.totals {
        return Err(no_axis(agg, tuple));
    }
    let groups: Vec<Vec<Scalar>> = (0..table.row_count()).map(|r| table.index.row(r)).collect();
    let depth = groups.first().map_or(1, Vec::len);
    for level in 0..depth {
        let labels: Vec<Vec<Scalar>> = (0..table.row_count()).map(|r| table.index.row(r)).collect();
        for (head, start, stop) in stretches(&labels, &groups, level)? {
            let rows: Vec<usize> = (start..stop).collect();
            let mut totals: Vec<Column> = Vec::with_capacity(table.columns.len());
            for c in &table.columns {
                let part = to_numeric_coerce(&crate::frame::take(&c.data, &rows));
                let all: Vec<usize> = (0..part.len()).collect();
                let v = numpy::apply(agg.function, &part, &all)?;
                totals.push(Column { label: c.label.clone(), data: from_scalars(vec![v]) });
            }
            unify(&mut totals);
            for (c, t) in table.columns.iter_mut().zip(totals) {
                c.data = inserted(&c.data, stop, t.data);
            }
            let label = total_label(&head, level, depth, total_name);
            let levels = std::mem::take(&mut table.index).into_levels();
            table.index = Index::Multi(
                levels
                    .into_iter()
                    .zip(label)
                    .map(|(l, v)| IndexLevel {
                        name: l.name,
                        data: inserted(&l.data, stop, from_scalars(vec![v])),
                    })
                    .collect(),
            );
        }
    }
    Ok(())
}

fn inserted(data: &ColumnData, at: usize, cell: ColumnData) -> ColumnData {
    let head = crate::frame::take(data, &(0..at).collect::<Vec<_>>());
    let tail = crate::frame::take(data, &(at..data.len()).collect::<Vec<_>>());
    // Objects stay objects: a decimal column keeps its decimals beside the float of the total.
    if dtype(data) == Dtype::Object && !matches!(data, ColumnData::Text(_)) {
        let mut values = crate::frame::astype_object(&head);
        values.extend(crate::frame::astype_object(&cell));
        values.extend(crate::frame::astype_object(&tail));
        return ColumnData::Object(values);
    }
    let joined = concat_data(head, cell);
    if tail.is_empty() { joined } else { concat_data(joined, tail) }
}

fn transposed(table: Frame) -> Frame {
    let mut source = table.columns;
    unify(&mut source);
    let rows = table.index.len();
    let columns = (0..rows)
        .map(|r| Column {
            label: Label::Levels(table.index.row(r)),
            data: from_scalars(source.iter().map(|c| c.data.get(r)).collect()),
        })
        .collect();
    let depth = source.first().map_or(1, |c| c.label.level_count());
    let levels = (0..depth)
        .map(|i| IndexLevel {
            name: None,
            data: from_scalars(
                source.iter().map(|c| c.label.levels().get(i).cloned().unwrap_or(Scalar::Null)).collect(),
            ),
        })
        .collect();
    Frame { columns, index: Index::Multi(levels), multi: true }
}

fn is_placeholder(s: &Scalar) -> bool {
    matches!(s, Scalar::Text(t) if &**t == PLACEHOLDER)
}

fn replace_placeholder(data: &mut ColumnData, null: &Scalar) {
    let hit = match &*data {
        ColumnData::Text(v) => v.iter().flatten().any(|t| &**t == PLACEHOLDER),
        ColumnData::Object(v) => v.iter().any(is_placeholder),
        _ => false,
    };
    if hit {
        let values = crate::frame::astype_object(data)
            .into_iter()
            .map(|s| if is_placeholder(&s) { null.clone() } else { s })
            .collect();
        *data = from_scalars(values);
    }
}

fn without_placeholder(mut table: Frame) -> Frame {
    let nan = Scalar::Float(f64::NAN);
    let clean = |s: &mut Scalar| {
        if is_placeholder(s) || is_na(s) {
            *s = Scalar::Float(f64::NAN);
        }
    };
    for c in &mut table.columns {
        replace_placeholder(&mut c.data, &nan);
        if let Label::Levels(v) = &mut c.label {
            v.iter_mut().for_each(clean);
        }
    }
    if let Index::Multi(levels) = &mut table.index {
        for l in levels {
            replace_placeholder(&mut l.data, &nan);
        }
    }
    table
}
