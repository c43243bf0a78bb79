//! Reading columns into the domain's types, and saying which one did not decode.

use std::cell::Cell;

use rusqlite::types::FromSql;
use rusqlite::{Row, Statement};

use crate::domain::time::Timestamp;
use crate::store::Error;

/// A row of a table, with the means to say where it is wrong.
pub(crate) struct Reading<'a, 'stmt> {
    table: &'static str,
    row: &'a Row<'stmt>,
    name: String,
    /// Where the next column is looked for first: they are mostly read in their order, and to compare all names each
    /// time takes longer than everything else.
    next: Cell<usize>,
}

impl<'a, 'stmt> Reading<'a, 'stmt> {
    /// `key` is the column whose text names the row in messages.
    pub(crate) fn new(table: &'static str, row: &'a Row<'stmt>, key: &str) -> Self {
        let name = row.get::<_, String>(key).unwrap_or_else(|_| "without name".to_owned());
        Self { table, row, name, next: Cell::new(0) }
    }

    /// A column as SQLite has it.
    pub(crate) fn get<T: FromSql>(&self, column: &'static str) -> Result<T, Error> {
        self.row.get(self.place(column)).map_err(|_| self.inconsistent(column))
    }

    /// The column's number; beyond all of them for one that is not there.
    fn place(&self, column: &str) -> usize {
        let statement: &Statement<'_> = self.row.as_ref();
        let (next, count) = (self.next.get(), statement.column_count());
        let mut places = (next..count).chain(0..next);
        let place = places.find(|place| statement.column_name(*place).is_ok_and(|name| name == column));
        let place = place.unwrap_or(count);
        self.next.set(place.saturating_add(1));
        place
    }

    /// A column that a parser has to accept.
    pub(crate) fn parse<T>(&self, column: &'static str, parser: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let text: String = self.get(column)?;
        parser(&text).ok_or_else(|| self.inconsistent(column))
    }

    /// An instant.
    pub(crate) fn at(&self, column: &'static str) -> Result<Timestamp, Error> {
        Ok(Timestamp::from_millis(self.get(column)?))
    }

    /// An instant that may be absent.
    pub(crate) fn at_opt(&self, column: &'static str) -> Result<Option<Timestamp>, Error> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    /// The fault of a column.
    pub(crate) fn inconsistent(&self, column: &'static str) -> Error {
        Error::Inconsistent { table: self.table, row: self.name.clone(), column }
    }
}

/// Texts that hold no comma, in one column: `None` for none, so that one empty text is told from none.
pub(crate) fn join<T: AsRef<str>>(texts: &[T]) -> Option<String> {
    if texts.is_empty() {
        return None;
    }
    Some(texts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(","))
}

/// The opposite of [`join`].
pub(crate) fn split(text: Option<String>) -> Vec<String> {
    text.map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default()
}
