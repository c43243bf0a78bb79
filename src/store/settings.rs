//! Switches that somebody has turned; the others have no row.

use rusqlite::params;

use crate::domain::settings::{Setting, Settings};
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// All switches as they stand.
///
/// # Errors
/// The store's.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    let mut statement = tx.prepare("SELECT name, value FROM settings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let reading = Reading::new("settings", row, "name");
        let setting = reading.parse("name", Setting::parse)?;
        let text: String = reading.get("value")?;
        settings.read(setting, &text).ok_or_else(|| reading.inconsistent("value"))?;
    }
    Ok(settings)
}

/// Keeps a switch as it stands in `settings`.
///
/// # Errors
/// The store's.
pub(crate) fn keep(tx: &Tx<'_>, setting: Setting, settings: &Settings) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![setting.name(), settings.to_text(setting)])?;
    tx.touch_settings();
    Ok(())
}
