//! Import tokens, one an instance.

use rusqlite::params;

use crate::domain::due::DueKind;
use crate::domain::id::InstanceId;
use crate::domain::import_token::ImportToken;
use crate::store::Error;
use crate::store::due::{self, Subject};
use crate::store::row::Reading;
use crate::store::secrets::SealedRow;
use crate::store::tx::Tx;

/// Sets an instance's token; an older one is replaced.
///
/// # Errors
/// The store's.
pub(crate) fn set(tx: &Tx<'_>, instance: InstanceId, token: &ImportToken, private: &SealedRow) -> Result<(), Error> {
    remove(tx, instance)?;
    tx.prepare(
        "INSERT INTO import_tokens (instance_id, created_at, expires_at, retrievals_max, retrievals_left, challenge,
             public_key, nonce, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        instance.to_string(),
        token.created_at.millis(),
        token.expires_at.millis(),
        token.retrievals_max,
        token.retrievals_left,
        token.challenge,
        token.public_key,
        private.0,
        private.1,
    ])?;
    due::set(tx, Subject::Instance(instance), DueKind::TokenExpiry, Some(token.expires_at))
}

/// An instance's token, with its sealed private key.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, instance: InstanceId) -> Result<Option<(ImportToken, SealedRow)>, Error> {
    let mut statement = tx.prepare("SELECT * FROM import_tokens WHERE instance_id = ?1")?;
    let mut rows = statement.query([instance.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let reading = Reading::new("import_tokens", row, "instance_id");
    let token = ImportToken {
        created_at: reading.at("created_at")?,
        expires_at: reading.at("expires_at")?,
        retrievals_max: reading.get("retrievals_max")?,
        retrievals_left: reading.get("retrievals_left")?,
        challenge: reading.get("challenge")?,
        public_key: reading.get("public_key")?,
    };
    Ok(Some((token, (reading.get("nonce")?, reading.get("sealed")?))))
}

/// Writes how many retrievals are left.
///
/// # Errors
/// The store's.
pub(crate) fn set_retrievals_left(tx: &Tx<'_>, instance: InstanceId, left: i64) -> Result<(), Error> {
    tx.prepare("UPDATE import_tokens SET retrievals_left = ?2 WHERE instance_id = ?1")?
        .execute(params![instance.to_string(), left])?;
    Ok(())
}

/// Removes an instance's token.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, instance: InstanceId) -> Result<(), Error> {
    tx.prepare("DELETE FROM import_tokens WHERE instance_id = ?1")?.execute([instance.to_string()])?;
    due::set(tx, Subject::Instance(instance), DueKind::TokenExpiry, None)
}
