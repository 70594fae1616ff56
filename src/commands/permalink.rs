//! Short links to states of pages (`superset.key_value.shared_entries`, `superset.utils.core` permalinks).

use daos::key_value::{self, NewEntry};
use infra::{
    Error, Result, clock,
    crypto::{hashids::Hashids, random},
    json,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Services, access::Principal, temporary_cache::namespace};

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permalink {
    /// A dashboard with its filters.
    Dashboard,
    /// The chart builder.
    Explore,
    /// SQL Lab.
    SqlLab,
}

impl Permalink {
    fn resource(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard_permalink",
            Self::Explore => "explore_permalink",
            Self::SqlLab => "sqllab_permalink",
        }
    }

    /// The secret that numbers are hidden with; made on first use.
    async fn salt(self, app: &Services) -> Result<String> {
        let key = format!("{}_salt", self.resource());
        let uuid = Uuid::new_v3(&namespace(""), key.as_bytes());
        let db = app.db.exec();
        if let Some(entry) = key_value::find(db, "app", uuid).await? {
            let salt: Option<String> = serde_json::from_slice(&entry.value).ok();
            return salt.ok_or_else(|| Error::internal(format!("{key} cannot be read")));
        }
        let salt = random::url_safe::<48>();
        let value = json::dumps(&json!(salt)).into_bytes();
        let entry =
            NewEntry { resource: "app", uuid, value, user_id: None, now: clock::now(), expires_on: None };
        key_value::insert(db, entry).await?;
        Ok(salt)
    }

    /// Stores a new state; returns its key.
    pub async fn create(self, app: &Services, user: &Principal, value: &Value) -> Result<String> {
        let salt = self.salt(app).await?;
        let id = key_value::insert(app.db.exec(), self.entry(user, Uuid::new_v4(), value)).await?;
        Ok(encode(&salt, id))
    }

    /// Stores a state; the same state of the same user gets the same key.
    pub async fn create_once(self, app: &Services, user: &Principal, value: &Value) -> Result<String> {
        let salt = self.salt(app).await?;
        let name = json::dumps_sorted(&json!([user.user_id(), value]));
        let uuid = Uuid::new_v3(&namespace(&salt), name.as_bytes());
        let tx = app.db.begin().await?;
        let id = key_value::upsert(tx.exec(), self.entry(user, uuid, value)).await?;
        tx.commit().await?;
        Ok(encode(&salt, id))
    }

    /// The state of a key; `None` when there is none. A key that is no key at all is an error of the original: 500.
    pub async fn get(self, app: &Services, key: &str) -> Result<Option<Value>> {
        let id = self.id(app, key).await?.ok_or_else(|| Error::message(500, "Fatal error"))?;
        let Ok(id) = i64::try_from(id) else { return Ok(None) };
        let entry = key_value::find_by_id(app.db.exec(), self.resource(), id).await?;
        let entry = entry.filter(|e| e.alive(clock::now()));
        Ok(entry.and_then(|e| serde_json::from_slice(&e.value).ok()))
    }

    /// The number that a key stands for; `None` for what is no key.
    pub async fn id(self, app: &Services, key: &str) -> Result<Option<u64>> {
        let salt = self.salt(app).await?;
        Ok(Hashids::permalink(&salt).decode_one(key))
    }

    fn entry(self, user: &Principal, uuid: Uuid, value: &Value) -> NewEntry<'static> {
        NewEntry {
            resource: self.resource(),
            uuid,
            value: json::dumps(value).into_bytes(),
            user_id: user.user_id(),
            now: clock::now(),
            expires_on: None,
        }
    }
}

fn encode(salt: &str, id: i64) -> String {
    Hashids::permalink(salt).encode(&[id.unsigned_abs()])
}
