//! Commands and the packets of their answers.

use std::{future::Future, time::Duration};

use super::{
    Column, Failure,
    handshake::raise,
    wire::{Reader, Wire},
};

/// A statement as text.
pub(crate) const QUERY: u8 = 0x03;
/// Another database.
pub(crate) const INIT_DB: u8 = 0x02;
/// Nothing but a sign of life.
pub(crate) const PING: u8 = 0x0e;

/// A server that does not answer is as good as none.
pub(crate) async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = |_| Failure::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(patience, work).await.map_err(late)?
}

/// A command whose answer has no rows, or rows that nobody reads.
pub(crate) async fn ask(wire: &mut Wire, code: u8, argument: &str) -> Result<(), Failure> {
    wire.command(code, argument.as_bytes()).await?;
    let answer = wire.read().await?;
    raise(&answer)?;
    if answer.first() == Some(&0) { Ok(()) } else { Err(Failure::Protocol) }
}

/// The columns of a result; none when the statement has no result.
pub(crate) async fn columns(wire: &mut Wire) -> Result<Vec<Column>, Failure> {
    let head = wire.read().await?;
    raise(&head)?;
    match head.first() {
        Some(0) => return Ok(Vec::new()),
        Some(0xfb) => {
            // the server asks for a file of ours: it gets an empty one
            wire.write(&[]).await?;
            let end = wire.read().await?;
            raise(&end)?;
            return Err(Failure::Server(2068, "LOAD DATA LOCAL INFILE is forbidden".to_owned()));
        }
        _ => {}
    }
    described(wire, &head).await
}

/// The columns whose number stands in a packet.
pub(super) async fn described(wire: &mut Wire, head: &[u8]) -> Result<Vec<Column>, Failure> {
    let count = Reader(head).length().filter(|n| *n <= 10_000).ok_or(Failure::Protocol)?;
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push(Column::read(&wire.read().await?).ok_or(Failure::Protocol)?);
    }
    wire.read().await?; // end of columns
    Ok(columns)
}

/// The packet of a row; nothing after the last one.
pub(crate) async fn read_row(wire: &mut Wire) -> Result<Option<Vec<u8>>, Failure> {
    let row = wire.read().await?;
    raise(&row)?;
    Ok(if is_end(&row) { None } else { Some(row) })
}

/// The packet after the last row.
fn is_end(payload: &[u8]) -> bool {
    payload.first() == Some(&0xfe) && payload.len() < 9
}
