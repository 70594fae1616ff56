//! One socket: events out, pings every 20 seconds, an end for who does not answer or does not keep up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use commands::Services;
use infra::events::{Listener, Next};
use salvo::websocket::{Message, WebSocket};
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};
use uuid::Uuid;

use super::{Admitted, owner::Owner};

/// Between pings (`pingSocketsIntervalMs`).
const PING_EVERY: Duration = Duration::from_secs(20);
/// Whoever has not answered a ping for so long is gone (`socketResponseTimeoutMs`).
const PONG_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether the log-in still holds, unless `ASYNC_QUERIES_LOG_IN_CHECK` says.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Close codes: the server goes; the client may not or cannot go on.
const GOING_AWAY: u16 = 1001;
const POLICY: u16 = 1008;

/// Serves a client until one of the two goes.
pub(super) async fn serve(app: Arc<Services>, admitted: Admitted, mut socket: WebSocket) {
    let Admitted { channel, owner, last_id } = admitted;
    // from here on nothing is missed
    let listener = app.events.listen(&channel).await;
    if let Some(start) = last_id.map(|id| incremented(&id)) {
        // to all sockets of the channel, as in the original, which sends nothing for an id that is none
        if let Err(error) = app.events.replay(&channel, &start).await {
            tracing::debug!(%error, "events could not be replayed");
        }
    }
    let end = talk(&app, &owner, &listener, &mut socket).await;
    drop(listener);
    let farewell = match end {
        Some(End::Revoked) => Message::close_with(POLICY, "the log-in ended"),
        Some(End::Told(Next::Stopped)) => Message::close_with(GOING_AWAY, "the server stops"),
        Some(End::Told(Next::Slow)) => {
            tracing::warn!("a WebSocket was closed: its client does not keep up");
            Message::close_with(POLICY, "too slow")
        }
        _ => return,
    };
    let _ = timeout(FAREWELL, socket.send(farewell)).await;
}

/// Why this side ends it.
enum End {
    Told(Next),
    /// Whose it is may not listen any more.
    Revoked,
}

/// How it ended, where it was this side.
async fn talk(app: &Services, owner: &Owner, listener: &Listener, socket: &mut WebSocket) -> Option<End> {
    let id = Uuid::new_v4();
    let (mut pings, mut looks) = (every(PING_EVERY, &id), every(look_every(app), &id));
    let id = id.to_string();
    let mut heard = Instant::now();
    loop {
        let message = tokio::select! {
            next = listener.next() => match next {
                Next::Event(frame) => Message::text(frame.to_string()),
                end => return Some(End::Told(end)),
            },
            received = socket.recv() => {
                // a farewell is answered while the next message is waited for, which then does not come
                let received = received?.ok()?;
                // the payload is the socket's own; nothing else that a client says is listened to
                if received.is_pong() && received.as_bytes() == id.as_bytes() {
                    heard = Instant::now();
                }
                continue;
            }
            _ = pings.tick() => {
                if heard.elapsed() >= PONG_WITHIN {
                    return None;
                }
                Message::ping(id.clone())
            }
            _ = looks.tick() => {
                if !owner.may_listen(app).await {
                    return Some(End::Revoked);
                }
                continue;
            }
        };
        tokio::select! {
            biased;
            sent = timeout(PONG_WITHIN, socket.send(message)) => sent.ok()?.ok()?,
            () = listener.overflowed() => return Some(End::Told(Next::Slow)),
        }
    }
}

/// Each socket has moments of its own: thousands of pings or looks at once would hold up events.
fn every(period: Duration, id: &Uuid) -> Interval {
    let first = Duration::from_millis(u64::try_from(id.as_u128() % period.as_millis()).unwrap_or_default());
    let mut ticks = interval_at(tokio::time::Instant::now() + first, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn look_every(app: &Services) -> Duration {
    let seconds = app.config.int("ASYNC_QUERIES_LOG_IN_CHECK").and_then(|s| u64::try_from(s).ok());
    seconds.filter(|seconds| *seconds > 0).map_or(LOOK_EVERY, Duration::from_secs)
}

/// The id after one that the client knows: the part behind the dash is one more. What has no dash stays as it is.
fn incremented(id: &str) -> String {
    match id.split('-').collect::<Vec<_>>().as_slice() {
        [ms, seq, ..] => match seq.parse::<u64>() {
            Ok(seq) => format!("{ms}-{}", seq.saturating_add(1)),
            Err(_) => format!("{ms}-NaN"),
        },
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_incremented_as_the_original_does() {
        let cases = [("5-9", "5-10"), ("5", "5"), ("abc", "abc"), ("5-x", "5-NaN"), ("5-1-2", "5-2")];
        for (id, next) in cases {
            assert_eq!(incremented(id), next);
        }
    }
}
