//! Results that are handed out in pieces.

use super::{
    QueryOptions,
    builder::ColumnBuilder,
    column::{ColumnInfo, ResultSet},
    driver::Out,
    error::EngineError,
    postgres::Size,
};

/// Gathers rows into batches of about as many cells as are asked for; there is always one, for the names of the
/// columns.
pub(super) struct Batcher<'a> {
    options: &'a QueryOptions,
    columns: Vec<ColumnInfo>,
    builders: Vec<ColumnBuilder>,
    size: Size,
    /// Rows of a batch.
    rows: usize,
    /// Rows that may still come.
    left: usize,
    sent: bool,
}

impl<'a> Batcher<'a> {
    pub fn new(options: &'a QueryOptions, columns: Vec<ColumnInfo>, cells: usize) -> Self {
        let rows = (cells / columns.len().max(1)).max(1);
        let builders = empty(&columns);
        let size = bounds(options, rows, columns.len());
        let left = options.max_rows.unwrap_or(usize::MAX);
        Self { options, columns, builders, size, rows, left, sent: false }
    }

    /// Where the next row goes.
    pub fn builders(&mut self) -> &mut [ColumnBuilder] {
        &mut self.builders
    }

    /// False when the limit of the query is reached.
    pub fn wants_more(&self) -> bool {
        self.left > 0
    }

    /// Counts the row that was added; the batch, if that filled it.
    pub fn row(&mut self, bytes: usize) -> Result<Option<ResultSet>, EngineError> {
        self.left = self.left.saturating_sub(1);
        if !self.size.add(bytes)? {
            return Ok(None);
        }
        self.sent = true;
        self.size = bounds(self.options, self.rows, self.columns.len());
        let builders = std::mem::replace(&mut self.builders, empty(&self.columns));
        Ok(Some(batch(self.columns.clone(), builders)))
    }

    /// What is left at the end.
    pub fn rest(self) -> Option<ResultSet> {
        let rest = batch(self.columns, self.builders);
        (rest.row_count() > 0 || !self.sent).then_some(rest)
    }
}

/// Sends batches for as long as the options allow and somebody reads. Whoever is given up in the middle cancels what it
/// left.
pub(super) async fn relay(
    options: &QueryOptions,
    out: &Out,
    work: impl Future<Output = Result<(), EngineError>>,
) -> Result<(), EngineError> {
    tokio::select! {
        done = tokio::time::timeout(options.timeout, work) => {
            done.unwrap_or(Err(EngineError::Timeout(options.timeout)))
        }
        () = out.closed() => Ok(()),
    }
}

/// Where batches go: all of them are one result, or each is sent to a reader.
pub(super) enum Sink<'a> {
    Whole(ResultSet),
    Pieces(&'a Out),
}

impl Sink<'_> {
    /// Hands a batch over; fails when nobody wants it any more.
    pub async fn put(&mut self, batch: ResultSet) -> Result<(), EngineError> {
        match self {
            Self::Whole(result) => *result = batch,
            Self::Pieces(out) => {
                let gone = |_| EngineError::Connect("the result is no longer wanted".to_owned());
                out.send(Ok(batch)).await.map_err(gone)?;
            }
        }
        Ok(())
    }

    /// The one result; nothing where batches were sent away.
    pub fn whole(self) -> ResultSet {
        match self {
            Self::Whole(found) => found,
            Self::Pieces(_) => ResultSet::default(),
        }
    }
}

fn empty(columns: &[ColumnInfo]) -> Vec<ColumnBuilder> {
    columns.iter().map(|_| ColumnBuilder::new()).collect()
}

fn bounds(options: &QueryOptions, rows: usize, columns: usize) -> Size {
    Size::new(&QueryOptions { max_rows: Some(rows), ..options.clone() }, columns)
}

fn batch(columns: Vec<ColumnInfo>, builders: Vec<ColumnBuilder>) -> ResultSet {
    ResultSet { columns, data: builders.into_iter().map(ColumnBuilder::finish).collect() }
}
