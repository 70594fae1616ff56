//! Stores outside this process.

use std::time::Duration;

use super::turn::Turn;
use crate::{Result, db::BoxFuture};

/// A value on its way into a store.
#[derive(Debug, Clone)]
pub struct Put {
    /// Under which key.
    pub key: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// None: for ever.
    pub lifetime: Option<Duration>,
    /// Who writes, where that is recorded.
    pub author: Option<i64>,
}

/// A store of bytes.
pub trait ByteStore: Send + Sync {
    /// A value that has not expired.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>>>;
    /// Keeps a value.
    fn put(&self, value: Put) -> BoxFuture<'_, Result<()>>;
    /// Forgets a value; false when there was none.
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// Asks whether it is this process's turn to make a value; nothing where processes do not know of each other.
    fn turn<'a>(&'a self, _key: &'a str) -> BoxFuture<'a, Result<Option<Turn>>> {
        Box::pin(async { Ok(None) })
    }

    /// Whether the value that somebody else makes is there, by the word of [`Turn::Theirs`]; nothing while it is made.
    fn outcome<'a>(&'a self, _key: &'a str, _word: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async { Ok(Some(false)) })
    }
}

/// A value with a form in bytes. Reading bytes that it did not write is no error but nothing.
pub trait Stored: Send + Sync + Sized + 'static {
    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// From its bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Stored for serde_json::Value {
    fn to_bytes(&self) -> Vec<u8> {
        crate::json::dumps(self).into_bytes()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Stored for bytes::Bytes {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::copy_from_slice(bytes))
    }
}
