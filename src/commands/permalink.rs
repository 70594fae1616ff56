//! Short links to states of pages (`superset.key_value.shared_entries`, `superset.utils.core` permalinks).

use daos::key_value::{self, NewEntry};
use infra::{
    Error, Result, clock,
    crypto::{
        hashids::{permalink_id, permalink_key},
        random,
    },
    db::Executor,
    json,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Caller, Services,
    state::Principal,
    temporary_cache::{namespace, size_of},
};

/// Links that one user may have made; those without an account have them together.
const MAX_LINKS: i64 = 20_000;

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
    pub async fn create(self, caller: &Caller, value: &Value) -> Result<String> {
        let salt = self.salt(&caller.app).await?;
        size_of(value)?;
        let tx = caller.app.db.begin().await?;
        self.raise_for_many(tx.exec(), &caller.user).await?;
        let id = key_value::insert(tx.exec(), self.entry(&caller.user, Uuid::new_v4(), value)).await?;
        tx.commit().await?;
        Ok(encode(&salt, id))
    }

    /// Stores a state; the same state of the same user gets the same key.
    pub async fn create_once(self, caller: &Caller, value: &Value) -> Result<String> {
        let salt = self.salt(&caller.app).await?;
        size_of(value)?;
        let name = json::dumps_sorted(&json!([caller.user.user_id(), value]));
        let uuid = Uuid::new_v3(&namespace(&salt), name.as_bytes());
        let tx = caller.app.db.begin().await?;
        if key_value::find(tx.exec(), self.resource(), uuid).await?.is_none() {
            self.raise_for_many(tx.exec(), &caller.user).await?;
        }
        let id = key_value::upsert(tx.exec(), self.entry(&caller.user, uuid, value)).await?;
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
        Ok(permalink_id(&salt, key))
    }

    /// Links live for ever: nobody makes more than they can use.
    async fn raise_for_many(self, db: &dyn Executor, user: &Principal) -> Result<()> {
        if key_value::count_of(db, self.resource(), user.user_id()).await? < MAX_LINKS {
            return Ok(());
        }
        let text = format!("There are {MAX_LINKS} links of yours already; no more can be made.");
        Err(Error::bad_request(text))
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
    permalink_key(salt, id.unsigned_abs())
}
