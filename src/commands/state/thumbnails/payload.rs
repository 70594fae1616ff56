//! What is kept of a picture (`superset.utils.screenshots:ScreenshotCachePayload`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{NaiveDateTime, TimeDelta};
use infra::{cache::pickle::Texts, clock};

/// How far a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is to be taken.
    Pending,
    /// It is being taken.
    Computing,
    /// It is there.
    Updated,
    /// It could not be taken.
    Error,
}

impl Status {
    const ALL: [Self; 4] = [Self::Pending, Self::Computing, Self::Updated, Self::Error];

    /// As clients see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Computing => "Computing",
            Self::Updated => "Updated",
            Self::Error => "Error",
        }
    }
}

/// A picture, or what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// A PNG.
    pub image: Option<Vec<u8>>,
    /// When it became what it is, server-local ISO 8601.
    pub timestamp: String,
    /// How far it is.
    pub status: Status,
}

impl Payload {
    /// Something without a picture.
    pub fn new(status: Status) -> Self {
        Self { image: None, timestamp: clock::isoformat(clock::now()), status }
    }

    /// A picture.
    pub fn with_image(image: Vec<u8>) -> Self {
        Self { image: Some(image), ..Self::new(Status::Updated) }
    }

    /// Whether the picture is to be taken (anew); failures and what seems stuck are left alone for `ttl` seconds.
    pub fn is_wanted(&self, force: bool, ttl: i64, now: NaiveDateTime) -> bool {
        let since = self.timestamp.parse::<NaiveDateTime>().map(|t| now - t);
        let age = since.unwrap_or(TimeDelta::MAX);
        let ttl = TimeDelta::try_seconds(ttl).unwrap_or(TimeDelta::MAX);
        force
            || match self.status {
                Status::Pending => true,
                Status::Error => age > ttl,
                Status::Computing => age >= ttl,
                Status::Updated => self.image.is_none(),
            }
    }

    /// The dictionary that is kept.
    pub fn to_texts(&self) -> Texts {
        let image = self.image.as_ref().map(|image| STANDARD.encode(image));
        [
            ("image", image),
            ("timestamp", Some(self.timestamp.clone())),
            ("status", Some(self.status.name().into())),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// From the dictionary; nothing when it is another.
    pub fn from_texts(texts: &Texts) -> Option<Self> {
        let status = texts.get("status")?.as_deref()?;
        let status = Status::ALL.into_iter().find(|s| s.name() == status)?;
        let image = match texts.get("image")? {
            Some(text) if !text.is_empty() => Some(STANDARD.decode(text).ok()?),
            _ => None,
        };
        let timestamp = texts.get("timestamp")?.clone()?;
        // whatever it was called: with a picture it is there
        Some(Self { status: if image.is_some() { Status::Updated } else { status }, image, timestamp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(status: Status, seconds_ago: i64) -> Payload {
        let then = clock::now() - TimeDelta::seconds(seconds_ago);
        Payload { timestamp: clock::isoformat(then), ..Payload::new(status) }
    }

    #[test]
    fn failures_are_left_alone_for_a_while() {
        let now = clock::now();
        for (payload, wanted) in [
            (at(Status::Pending, 0), true),
            (at(Status::Error, 50), false),
            (at(Status::Error, 150), true),
            (at(Status::Computing, 50), false),
            (at(Status::Computing, 150), true),
            (at(Status::Updated, 150), true),
            (Payload::with_image(vec![1]), false),
            (Payload { timestamp: "never".into(), ..at(Status::Error, 0) }, true),
        ] {
            assert_eq!(payload.is_wanted(false, 100, now), wanted, "{payload:?}");
            assert!(payload.is_wanted(true, 100, now));
        }
    }

    #[test]
    fn what_is_kept_is_read_again() {
        for payload in
            [Payload::new(Status::Pending), Payload::with_image(vec![1, 2, 3]), Payload::new(Status::Error)]
        {
            assert_eq!(Payload::from_texts(&payload.to_texts()), Some(payload));
        }
        let mut other = Payload::new(Status::Pending).to_texts();
        other.insert("status".into(), Some("Lost".into()));
        assert_eq!(Payload::from_texts(&other), None);
    }
}
