//! Another `SECRET_KEY`: what is encrypted with the previous one is encrypted with it
//! (`superset.utils.encrypt:SecretsMigrator`, which in 6.0.0 finds no column).

use daos::encrypted;
use infra::{
    Error, Result,
    crypto::encrypted::{Cipher, FieldCipher},
    db::Db,
};
use serde::Serialize;

/// What became of the values of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// Values that were encrypted anew.
    pub rotated: usize,
    /// Values that the new key read already.
    pub current: usize,
}

/// Encrypts every value with the new key, or none; what the new key reads already is left alone, so that a second run
/// does nothing. With `dry` only says what would be done.
pub async fn rotate(db: &Db, previous: &str, new: &str, dry: bool) -> Result<Vec<Column>> {
    let cipher = Cipher::default();
    let (previous, new) = (FieldCipher::new(previous, cipher), FieldCipher::new(new, cipher));
    let tx = db.begin().await?;
    let (mut columns, mut unread) = (Vec::new(), Vec::new());
    for (table, column) in encrypted::COLUMNS {
        let mut done = Column { table, column, rotated: 0, current: 0 };
        for (id, stored) in encrypted::held(tx.exec(), table, column).await? {
            if new.opens(&stored).is_some() {
                done.current += 1;
            } else if let Some(text) = previous.opens(&stored) {
                encrypted::set(tx.exec(), (table, column), id, new.encrypt(&text)?.into_bytes()).await?;
                done.rotated += 1;
            } else {
                unread.push(format!("{table}.{column} of row {id}"));
            }
        }
        columns.push(done);
    }
    if !unread.is_empty() {
        return Err(Error::unprocessable(format!(
            "neither the previous nor the current key reads {}; nothing was changed",
            unread.join(", ")
        )));
    }
    if !dry {
        tx.commit().await?;
    }
    Ok(columns)
}
