//! Row level security filters (`superset.commands.security`).

use daos::{
    rows::{existing, key, require},
    tables::ROW_LEVEL_SECURITY_FILTERS,
    write::{self, Values},
};
use infra::{
    Error, Result,
    db::{DbError, Executor},
};

use crate::{Caller, refused};

/// Roles and datasets that a rule is for.
#[derive(Debug, Clone, Default)]
pub struct RuleScope {
    /// Roles.
    pub roles: Vec<i64>,
    /// Datasets.
    pub tables: Vec<i64>,
}

/// Makes a rule.
pub async fn rule_create(caller: &Caller, values: Values, scope: &RuleScope) -> Result<i64> {
    let tx = caller.app.db.begin().await?;
    check(tx.exec(), scope).await?;
    let pk = write::insert(tx.exec(), &ROW_LEVEL_SECURITY_FILTERS, values, caller.user.user_id())
        .await
        .map_err(refused)?;
    let id = key(&pk)?;
    link(tx.exec(), id, scope).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a rule; roles and datasets are replaced, also by nothing.
pub async fn rule_update(caller: &Caller, id: i64, values: Values, scope: &RuleScope) -> Result<()> {
    let tx = caller.app.db.begin().await?;
    require(tx.exec(), "row_level_security_filters", id).await?;
    check(tx.exec(), scope).await?;
    let table = &ROW_LEVEL_SECURITY_FILTERS;
    write::update(tx.exec(), table, id.into(), values, caller.user.user_id()).await.map_err(refused)?;
    link(tx.exec(), id, scope).await?;
    Ok(tx.commit().await?)
}

async fn check(ex: &dyn Executor, scope: &RuleScope) -> Result<()> {
    if existing(ex, "ab_role", &scope.roles).await?.len() != scope.roles.len() {
        return Err(Error::unprocessable("[l'Some roles do not exist']"));
    }
    if existing(ex, "tables", &scope.tables).await?.len() != scope.tables.len() {
        return Err(Error::unprocessable("[l'Datasource does not exist']"));
    }
    Ok(())
}

async fn link(ex: &dyn Executor, id: i64, scope: &RuleScope) -> Result<()> {
    for (name, ids) in [("roles", &scope.roles), ("tables", &scope.tables)] {
        if let Some(relation) = ROW_LEVEL_SECURITY_FILTERS.relation(name) {
            write::set_links(ex, relation, id.into(), ids).await?;
        }
    }
    Ok(())
}

/// The original answers with the arguments of an exception that has none.
fn refused(error: DbError) -> Error {
    refused::refused("()")(error.into())
}
