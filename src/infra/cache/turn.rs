//! Whose turn it is to make a value that several processes want at the same moment: one makes it, the others wait.
//!
//! A turn is a key in Redis that holds the word of the process whose turn it is. It expires unless it is renewed, so that
//! a process that died keeps nobody waiting for long. Once the value lies in the cache the key says so for a moment:
//! who waited for just this value takes it, whether or not an older one had been there.

use std::time::Duration;

use redis::{FromRedisValue, RedisError, aio::ConnectionManager};
use uuid::Uuid;

/// How long a turn lasts without being renewed.
const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(5);
/// How long it is told that the value is there: longer than anybody pauses between two looks.
const TOLD: Duration = Duration::from_secs(3);
/// What stands before the word of who has made the value.
const MADE: &str = "made:";

/// Takes a turn unless it is another one's; answers whose it is.
const TAKE: &str = "local v = redis.call('GET', KEYS[1]) \
     if v and string.sub(v, 1, 5) ~= 'made:' then return v end \
     redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return ARGV[1]";
/// Renews a turn that is still one's own.
const RENEW: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
     return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";
/// Ends a turn that is still one's own.
const LEAVE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
/// Says of a turn that is still one's own that the value is there.
const TELL: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
     redis.call('SET', KEYS[1], 'made:' .. ARGV[1], 'PX', ARGV[2]) return 1 end return 0";

/// What came of asking for a turn.
#[derive(Debug)]
pub enum Turn {
    /// It is this process's until the value is dropped.
    Ours(Held),
    /// Another process has it, by this word.
    Theirs(String),
}

/// A turn of this process, renewed while it lives. Dropped without [`Held::made`] it leaves the value to the next.
#[derive(Debug)]
pub struct Held {
    connection: ConnectionManager,
    key: String,
    word: String,
    renewing: tokio::task::JoinHandle<()>,
    left: bool,
}

async fn run<T: FromRedisValue>(
    connection: &mut ConnectionManager,
    script: &str,
    key: &str,
    word: &str,
    lasts: Duration,
) -> Result<T, RedisError> {
    let milliseconds = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
    redis::cmd("EVAL").arg(script).arg(1).arg(key).arg(word).arg(milliseconds).query_async(connection).await
}

/// Asks for a turn.
pub(super) async fn take(mut connection: ConnectionManager, key: String) -> Result<Turn, RedisError> {
    let word = Uuid::new_v4().simple().to_string();
    let whose: String = run(&mut connection, TAKE, &key, &word, LEASE).await?;
    if whose != word {
        return Ok(Turn::Theirs(whose));
    }
    let renewing = tokio::spawn({
        let (mut connection, key, word) = (connection.clone(), key.clone(), word.clone());
        async move {
            loop {
                tokio::time::sleep(RENEWED).await;
                // a failure is tried again in time
                let _ = run::<i64>(&mut connection, RENEW, &key, &word, LEASE).await;
            }
        }
    });
    Ok(Turn::Ours(Held { connection, key, word, renewing, left: false }))
}

/// Whether the value that is made by this word is there; nothing while it is being made.
pub(super) async fn outcome(
    mut connection: ConnectionManager,
    key: &str,
    word: &str,
) -> Result<Option<bool>, RedisError> {
    let found: Option<String> = redis::cmd("GET").arg(key).query_async(&mut connection).await?;
    Ok(match found {
        Some(now) if now == word => None,
        Some(now) => Some(now.strip_prefix(MADE) == Some(word)),
        None => Some(false),
    })
}

impl Held {
    /// The value lies in the cache: who waits for it may take it.
    pub async fn made(mut self) {
        self.left = true;
        let _ = run::<i64>(&mut self.connection, TELL, &self.key, &self.word, TOLD).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewing.abort();
        if self.left {
            return;
        }
        let (mut connection, key, word) = (self.connection.clone(), self.key.clone(), self.word.clone());
        // outside a runtime nothing is left to wait: the turn expires
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = run::<i64>(&mut connection, LEAVE, &key, &word, LEASE).await;
            });
        }
    }
}
