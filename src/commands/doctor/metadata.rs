//! The metadata database and what its rows say: schema, secrets, people, connections, the clock, embedding.

use std::{sync::Arc, time::Instant};

use daos::{database, encrypted, schema_version, security, user, whole_tables};
use infra::{
    clock,
    crypto::encrypted::{Cipher, FieldCipher},
    db::{Db, DbUri, SchemaState, catalog, migrate},
};

use super::{Check, any_flag};
use crate::{Services, connect::source, database::test::ping};

/// Whether the metadata database is there and of the right schema; no pool before that is known.
pub async fn reached(uri: &DbUri) -> Check {
    const NAME: &str = "database";
    let began = Instant::now();
    let place = match uri {
        DbUri::Sqlite { path } => path.display().to_string(),
        _ => "a server".to_owned(),
    };
    match migrate::inspect(uri).await {
        Ok(SchemaState::Head) => {
            let found = format!("{place}, revision {}, {} ms", migrate::HEAD, began.elapsed().as_millis());
            Check::ok(NAME, found)
        }
        Ok(other) => {
            let refusal = other.refusal().unwrap_or_default();
            Check::failed(NAME, refusal, "see packaging/manual/upgrading.md")
        }
        Err(error) => Check::failed(
            NAME,
            error.to_string(),
            "start the database, or set SQLALCHEMY_DATABASE_URI to where it is",
        ),
    }
}

/// Whether all tables and columns are there, and what is there beside them.
pub async fn schema(db: &Db) -> Check {
    const NAME: &str = "schema";
    let looked = async {
        let tables = catalog::tables(db.exec()).await?;
        let others = whole_tables::of_others(db.exec()).await?;
        Ok::<_, infra::db::DbError>((migrate::missing_columns(&tables)?, others))
    };
    match looked.await {
        Err(error) => {
            Check::failed(NAME, error.to_string(), "let liteset read the catalogue of its database")
        }
        Ok((missing, _)) if !missing.is_empty() => Check::failed(
            NAME,
            format!("columns are missing: {}", missing.join(", ")),
            "somebody changed the schema by hand: restore a backup, or add the columns as Superset 6.0.0 has them",
        ),
        Ok((_, others)) if !others.is_empty() => Check::ok(
            NAME,
            format!(
                "all tables of Superset 6.0.0, and others that a backup leaves out: {}",
                others.join(", ")
            ),
        ),
        Ok(_) => Check::ok(NAME, "all tables of Superset 6.0.0"),
    }
}

/// Whether everything that is encrypted can be read.
pub(super) async fn secrets(app: &Services) -> Check {
    const NAME: &str = "secrets";
    let cipher = FieldCipher::new(app.config.str("SECRET_KEY"), Cipher::default());
    match encrypted::some(app.db.exec(), i64::from(u32::MAX)).await {
        Err(error) => Check::failed(NAME, error.to_string(), "see the log of the database"),
        Ok(stored) => {
            let unread = stored.iter().filter(|value| cipher.decrypt(value).is_err()).count();
            match unread {
                0 => Check::ok(NAME, format!("SECRET_KEY reads all {} encrypted values", stored.len())),
                _ => Check::failed(
                    NAME,
                    format!("SECRET_KEY does not read {unread} of {} encrypted values", stored.len()),
                    "set SECRET_KEY to the key of this installation; if it was changed, set PREVIOUS_SECRET_KEY to \
                     the old one and run `liteset secrets rotate`",
                ),
            }
        }
    }
}

/// Whether somebody can administer.
pub(super) async fn people(app: &Services) -> Check {
    const NAME: &str = "users";
    let role = app.config.str("AUTH_ROLE_ADMIN");
    match user::all(app.db.exec()).await {
        Err(error) => Check::failed(NAME, error.to_string(), "see the log of the database"),
        Ok(users) => {
            let admins = users.iter().filter(|u| u.active && u.roles.iter().any(|r| r == role)).count();
            match admins {
                0 => Check::failed(
                    NAME,
                    format!("{} users, and none of them has the role {role}", users.len()),
                    "`liteset fab create-admin`",
                ),
                n => Check::ok(NAME, format!("{} users, {n} of them with the role {role}", users.len())),
            }
        }
    }
}

/// Every connection to an analytical database.
pub(super) async fn connections(app: &Arc<Services>, each: &mut (dyn FnMut(Check) + Send)) {
    let found = match database::find_all(app.db.exec(), None).await {
        Ok(found) => found,
        Err(error) => {
            return each(Check::failed("connections", error.to_string(), "see the log of the database"));
        }
    };
    for stored in found {
        let name = format!("connection {}", stored.database_name);
        let began = Instant::now();
        let advice = "test the connection in Settings, Database Connections";
        let engine = source(app, &stored)
            .map_err(|e| e.to_string())
            .and_then(|source| app.engines.make(&source).map_err(|e| e.to_string()));
        let engine = match engine {
            Ok(engine) => engine,
            Err(text) => {
                each(Check::failed(name, text, advice));
                continue;
            }
        };
        each(match ping(app, &engine).await {
            Some(Ok(())) => Check::ok(name, format!("answers, {} ms", began.elapsed().as_millis())),
            Some(Err(error)) => Check::failed(name, error.to_string(), advice),
            None => Check::failed(name, "does not answer in time", advice),
        });
    }
}

/// How far the clocks of this machine and of the database are apart.
pub(super) async fn clock(app: &Services) -> Check {
    const NAME: &str = "clock";
    const APART: i64 = 30;
    match schema_version::moment(app.db.exec()).await {
        Err(error) => Check::failed(NAME, error.to_string(), "see the log of the database"),
        Ok(there) => {
            let here = clock::now();
            let apart = (here - there).num_seconds().abs();
            let found = format!("{} UTC, {apart} s from the database", here.format("%Y-%m-%d %H:%M:%S"));
            match apart > APART {
                true => Check::warning(
                    NAME,
                    found,
                    "let both machines follow a time server: log-ins and locks depend on it",
                ),
                false => Check::ok(NAME, found),
            }
        }
    }
}

/// Whether guests can be let in.
pub(super) async fn embedding(app: &Services) -> Check {
    const NAME: &str = "embedding";
    if any_flag(&app.config, &["EMBEDDED_SUPERSET"]).is_none() {
        return Check::off(NAME, "EMBEDDED_SUPERSET is off");
    }
    let role = app.config.str("GUEST_ROLE_NAME");
    match security::role_by_name(app.db.exec(), role).await {
        Err(error) => return Check::failed(NAME, error.to_string(), "see the log of the database"),
        Ok(None) => {
            let found = format!("guests have the role {role}, and there is no such role");
            return Check::failed(NAME, found, "make the role, or set GUEST_ROLE_NAME to one that is there");
        }
        Ok(Some(_)) => {}
    }
    let policy = app.config.talisman();
    let ancestors = policy.as_ref().map(|_| app.config.get("TALISMAN_CONFIG").to_string());
    match ancestors {
        Some(policy) if !policy.contains("frame-ancestors") => Check::warning(
            NAME,
            format!("guests have the role {role}; TALISMAN_CONFIG names no frame-ancestors"),
            "name the sites that embed dashboards in frame-ancestors of content_security_policy \
             (packaging/manual/embedding.md)",
        ),
        _ => Check::ok(NAME, format!("guests have the role {role}")),
    }
}
