//! What users who are deleted leave behind (the relations of `flask_appbuilder.security.sqla.models:User`).

use infra::db::{DbError, Executor, Sql, Value};

/// What becomes of the rows that lean on a user who goes, by the relations of the original's model: events, preferences
/// and accounts that they made are nobody's, saved queries go with them. Whatever else they made or own keeps them.
pub async fn let_go(db: &dyn Executor, user_id: &Value) -> Result<(), DbError> {
    for sql in [
        "UPDATE logs SET user_id = NULL WHERE user_id = ?",
        "UPDATE user_attribute SET user_id = NULL WHERE user_id = ?",
        "UPDATE ab_user SET created_by_fk = NULL WHERE created_by_fk = ?",
        "UPDATE ab_user SET changed_by_fk = NULL WHERE changed_by_fk = ?",
        "DELETE FROM tagged_object WHERE object_type = 'query' AND object_id IN \
         (SELECT id FROM saved_query WHERE user_id = ?)",
        "DELETE FROM saved_query WHERE user_id = ?",
    ] {
        db.execute(Sql::new(sql).bind(user_id.clone())).await?;
    }
    Ok(())
}
