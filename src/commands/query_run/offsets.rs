//! Time comparison: the same query over shifted ranges, joined to the first (`processing_time_offsets`).

use chrono::NaiveDateTime;
use query::{
    QueryError,
    frame::{Frame, python},
    query_object::{Column, QueryObject},
    time_offset::{self, Offset},
    time_range::get_past_or_future,
};
use serde_json::Value;

use super::SqlContext;

/// The frame with the metrics of every offset beside its own, and the SQL of the offsets.
pub async fn join(
    context: &SqlContext,
    mut frame: Frame,
    query: &QueryObject,
) -> Result<(Frame, Vec<String>), QueryError> {
    let (Some(from), Some(to)) = outer_range(context, query)? else {
        return Err(QueryError::validation(
            "An enclosed time range (both start and end) must be specified when using a Time Comparison.",
        ));
    };
    let grain = time_grain(query);
    let metrics: Vec<String> = query.metrics.iter().flatten().filter_map(|m| m.label(None)).collect();
    let keys = time_offset::join_keys(&frame, |label| metrics.iter().any(|m| m == label));
    let axis = query.columns.iter().filter(|c| c.is_base_axis()).find_map(Column::label);
    let mut queries = Vec::new();
    let mut offsets: Vec<Offset> = Vec::new();
    let mut clone = query.clone();
    for original in &query.time_offsets {
        let offset = time_offset::evaluated_offset(original, from, to);
        shift(context, &mut clone, query, &frame, &offset, (from, to), axis.as_deref())?;
        let fetched = context.fetch(&clone).await?;
        queries.push(fetched.built.sql.clone());
        let mut other = fetched.frame;
        if other.is_empty() {
            other = time_offset::empty_offset(&keys, &metrics, original);
        } else {
            context.normalize(&mut other, &clone)?;
            time_offset::rename_metrics(&mut other, &metrics, original);
        }
        match offsets.iter_mut().find(|o| o.offset == offset) {
            Some(slot) => slot.frame = other,
            None => offsets.push(Offset { offset, frame: other }),
        }
    }
    let date_ranges = context.caller.app.config.flag("DATE_RANGE_TIMESHIFTS_ENABLED");
    frame = time_offset::join(frame, offsets, grain.as_deref(), &keys, date_ranges)?;
    Ok((frame, queries))
}

fn outer_range(
    context: &SqlContext,
    query: &QueryObject,
) -> Result<(Option<NaiveDateTime>, Option<NaiveDateTime>), QueryError> {
    let axis = query.columns.iter().filter(|c| c.is_base_axis()).find_map(Column::label);
    let temporal = || query.filter.iter().filter(|f| f.is_temporal_range());
    let on_axis = temporal().find(|f| f.col.as_str().is_some() && f.col.as_str() == axis.as_deref());
    let range = match &query.time_range {
        Some(range) => Some(range.clone()),
        None => on_axis.or_else(|| temporal().next()).and_then(|f| f.val.as_str().map(str::to_owned)),
    };
    context.clock.resolve(range.as_deref(), query.time_shift.as_deref(), &query.extras)
}

fn time_grain(query: &QueryObject) -> Option<String> {
    match query.columns.first() {
        Some(column) if column.is_adhoc() => column.time_grain().map(str::to_owned),
        _ => query.extras.time_grain_sqla.clone(),
    }
    .filter(|g| !g.is_empty())
}

fn shift(
    context: &SqlContext,
    clone: &mut QueryObject,
    query: &QueryObject,
    frame: &Frame,
    offset: &str,
    (from, to): (NaiveDateTime, NaiveDateTime),
    axis: Option<&str>,
) -> Result<(), QueryError> {
    let invalid = |e: query::time_range::TimeRangeError| QueryError::validation(e.to_string());
    let now = context.clock.now;
    clone.from_dttm = Some(get_past_or_future(offset, Some(from), now).map_err(invalid)?);
    clone.to_dttm = Some(get_past_or_future(offset, Some(to), now).map_err(invalid)?);
    clone.inner_from_dttm = clone.from_dttm;
    clone.inner_to_dttm = clone.to_dttm;
    clone.granularity =
        clone.granularity.clone().filter(|g| !g.is_empty()).or_else(|| axis.map(str::to_owned));
    clone.time_offsets = Vec::new();
    clone.post_processing = Vec::new();
    let bounds = |from: Option<NaiveDateTime>, to: Option<NaiveDateTime>| {
        let text =
            |t: Option<NaiveDateTime>| t.map_or("None".to_owned(), |t| python::timestamp_text(&t, ' '));
        Value::String(format!("{} : {}", text(from), text(to)))
    };
    let index = axis.unwrap_or("__timestamp");
    let is_datetime = time_offset::is_temporal(frame.column(index).map(|c| &c.data));
    let temporal = clone.granularity.clone().or_else(|| axis.map(str::to_owned));
    let (shifted_from, shifted_to) = (clone.from_dttm, clone.to_dttm);
    for filter in clone.filter.iter_mut().filter(|f| f.is_temporal_range()) {
        if is_datetime {
            if filter.col.as_str().is_some() && filter.col.as_str() == temporal.as_deref() {
                filter.val = bounds(shifted_from, shifted_to);
            }
        } else if let Some(range) = filter.val.as_str().map(str::to_owned) {
            let (from, to) =
                context.clock.resolve(Some(&range), Some(offset), &query::query_object::Extras::default())?;
            filter.val = bounds(from, to);
        }
    }
    clone.filter.retain(|f| f.is_temporal_range() || f.col.as_str() != axis || axis.is_none());
    if query.row_limit.is_some_and(|n| n != 0) || query.row_offset != 0 {
        clone.row_limit = context.caller.app.config.int("ROW_LIMIT");
        clone.row_offset = 0;
    }
    Ok(())
}
