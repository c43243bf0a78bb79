//! Audit records in blocks. A block's text is JSON, since it is only ever read whole and back into records.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::domain::audit::{Datum, Detail, Initiator, Record, Resource, Side, Target};
use crate::domain::context::Context;
use crate::domain::id::KeyId;
use crate::store::Error;
use crate::store::tx::Tx;

/// Records that are kept; with more, the oldest blocks go.
const RECORDS_MAX: i64 = 1_000_000;
/// Bytes that an entry of the data plane takes, about.
const LIGHT_BYTES: usize = 72;
/// How often single records look for blocks over the limit.
const RECORDS_BETWEEN_SWEEPS: i64 = 1_024;

/// A record of the data plane: all but its time and correlation id it shares with others, which is kept once a block.
#[derive(Clone, Debug)]
pub(crate) struct Light {
    pub(crate) common: Arc<Record>,
    pub(crate) cx: Arc<Context>,
}

/// A record that waits to be stored, with the number that gives its place among all records.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) number: i64,
    pub(crate) entry: Entry,
}

/// What is stored of a record.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Whole(Box<Record>),
    Light(Light),
}

#[derive(Serialize, Deserialize)]
struct StoredRecord {
    at: i64,
    action: String,
    verb: String,
    status: u16,
    failure: String,
    correlation: String,
    initiator: [String; 4],
    instance: [String; 2],
    uri: String,
    key: Option<String>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource: Option<[String; 2]>,
    details: Vec<StoredDetail>,
}

#[derive(Serialize, Deserialize)]
struct StoredDetail {
    response: bool,
    path: String,
    text: Option<String>,
    number: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flag: Option<bool>,
}

/// Number, then the record; or number, index of what it shares, time, correlation id.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredEntry {
    Whole(i64, Box<StoredRecord>),
    Light(i64, usize, i64, String),
}

#[derive(Deserialize)]
struct Block {
    commons: Vec<StoredRecord>,
    entries: Vec<StoredEntry>,
}

/// Stores entries as one block, and drops the oldest blocks when there are too many records. Nothing is done without
/// entries.
///
/// # Errors
/// The store's.
pub(crate) fn append(tx: &Tx<'_>, entries: &[Numbered]) -> Result<(), Error> {
    let numbers = || entries.iter().map(|entry| entry.number);
    let Some((first, last)) = numbers().min().zip(numbers().max()) else { return Ok(()) };
    tx.prepare("INSERT INTO audit (first, last, block) VALUES (?1, ?2, ?3)")?.execute(params![
        first,
        last,
        encode(entries)
    ])?;
    if entries.len() > 1 || first % RECORDS_BETWEEN_SWEEPS == 0 {
        tx.prepare("DELETE FROM audit WHERE last <= ?1")?.execute([last - RECORDS_MAX])?;
    }
    Ok(())
}

/// The number that the next record gets.
///
/// # Errors
/// The store's.
pub(crate) fn next_number(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.prepare("SELECT coalesce(max(last), 0) + 1 FROM audit")?.query_row([], |row| row.get(0))?)
}

/// Hands all records to `take`, oldest first. Blocks may overlap: a record waits until no later block can hold an older one.
///
/// # Errors
/// The store's.
pub(crate) fn walk(tx: &Tx<'_>, mut take: impl FnMut(Record)) -> Result<(), Error> {
    let mut statement = tx.prepare("SELECT first, block FROM audit ORDER BY first")?;
    let mut rows = statement.query([])?;
    let mut waiting: BTreeMap<i64, Record> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let text: String = row.get(1)?;
        let later = waiting.split_off(&first);
        std::mem::replace(&mut waiting, later).into_values().for_each(&mut take);
        let damaged = || Error::Inconsistent { table: "audit", row: first.to_string(), column: "block" };
        waiting.extend(decode(&text).ok_or_else(damaged)?);
    }
    waiting.into_values().for_each(take);
    Ok(())
}

/// The records after the number `after`, up to the number `last`, oldest first; and the first block that holds later
/// ones. All of them are stored, and blocks before `block` hold none of them.
///
/// # Errors
/// The store's.
pub(crate) fn between(tx: &Tx<'_>, block: i64, after: i64, last: i64) -> Result<(Vec<Record>, i64), Error> {
    let mut statement =
        tx.prepare("SELECT first, last, block FROM audit WHERE first BETWEEN ?1 AND ?2 AND last > ?3 ORDER BY first")?;
    let mut rows = statement.query([block, last, after])?;
    let mut found: BTreeMap<i64, Record> = BTreeMap::new();
    let mut next_block = last.saturating_add(1);
    while let Some(row) = rows.next()? {
        let (first, ends): (i64, i64) = (row.get(0)?, row.get(1)?);
        let text: String = row.get(2)?;
        let damaged = || Error::Inconsistent { table: "audit", row: first.to_string(), column: "block" };
        let records = decode(&text).ok_or_else(damaged)?;
        found.extend(records.into_iter().filter(|(number, _)| *number > after && *number <= last));
        if ends > last {
            next_block = next_block.min(first);
        }
    }
    Ok((found.into_values().collect(), next_block))
}

/// Written piece by piece: a block of the hot path holds thousands of entries.
fn encode(entries: &[Numbered]) -> String {
    let mut commons: Vec<&Arc<Record>> = Vec::new();
    let mut text = Vec::with_capacity(entries.len() * LIGHT_BYTES);
    text.extend_from_slice(b"{\"entries\":[");
    for (position, Numbered { number, entry }) in entries.iter().enumerate() {
        text.extend_from_slice(if position == 0 { b"[".as_slice() } else { b",[".as_slice() });
        push(&mut text, number);
        text.push(b',');
        match entry {
            Entry::Whole(record) => push(&mut text, &store(record)),
            Entry::Light(Light { common, cx }) => {
                let known = commons.iter().position(|known| Arc::ptr_eq(known, common));
                let index = known.unwrap_or_else(|| {
                    commons.push(common);
                    commons.len() - 1
                });
                push(&mut text, &index);
                text.push(b',');
                push(&mut text, &cx.now.millis());
                text.push(b',');
                push(&mut text, &cx.trace.correlation);
            }
        }
        text.push(b']');
    }
    text.extend_from_slice(b"],\"commons\":");
    push(&mut text, &commons.iter().map(|common| store(common)).collect::<Vec<_>>());
    text.push(b'}');
    // JSON is UTF-8.
    String::from_utf8(text).unwrap_or_default()
}

/// Appends JSON. Strings, numbers and lists of them always serialize.
fn push<T: Serialize>(text: &mut Vec<u8>, value: &T) {
    let written = serde_json::to_writer(text, value);
    debug_assert!(written.is_ok(), "a value that is no JSON");
}

fn decode(text: &str) -> Option<Vec<(i64, Record)>> {
    let block: Block = serde_json::from_str(text).ok()?;
    let commons: Vec<Record> = block.commons.into_iter().map(load).collect::<Option<_>>()?;
    block
        .entries
        .into_iter()
        .map(|entry| match entry {
            StoredEntry::Whole(number, record) => Some((number, load(*record)?)),
            StoredEntry::Light(number, common, at, correlation) => {
                let common = commons.get(common)?.clone();
                Some((number, Record { at, correlation, ..common }))
            }
        })
        .collect()
}

fn store(record: &Record) -> StoredRecord {
    let initiator = &record.initiator;
    StoredRecord {
        at: record.at,
        action: record.action.clone(),
        verb: record.verb.clone(),
        status: record.status,
        failure: record.failure.clone(),
        correlation: record.correlation.clone(),
        initiator: [&initiator.id, &initiator.name, &initiator.type_uri, &initiator.address].map(Clone::clone),
        instance: [record.instance_crn.clone(), record.instance_id.clone()],
        uri: record.uri.clone(),
        key: record.target.key.map(|key| key.to_string()),
        name: record.target.name.clone(),
        resource: record.target.resource.as_ref().map(|resource| [resource.crn.clone(), resource.kind.clone()]),
        details: record.details.iter().map(store_detail).collect(),
    }
}

fn store_detail(detail: &Detail) -> StoredDetail {
    let (text, number, flag) = match &detail.value {
        Datum::Text(text) => (Some(text.clone()), None, None),
        Datum::Number(number) => (None, Some(*number), None),
        Datum::Flag(flag) => (None, None, Some(*flag)),
    };
    StoredDetail { response: detail.side == Side::Response, path: detail.path.clone(), text, number, flag }
}

fn load(stored: StoredRecord) -> Option<Record> {
    let [id, name, type_uri, address] = stored.initiator;
    let [instance_crn, instance_id] = stored.instance;
    let key = match stored.key {
        Some(text) => Some(KeyId::parse(&text)?),
        None => None,
    };
    Some(Record {
        at: stored.at,
        action: stored.action,
        verb: stored.verb,
        status: stored.status,
        failure: stored.failure,
        correlation: stored.correlation,
        initiator: Initiator { id, name, type_uri, address },
        instance_crn,
        instance_id,
        uri: stored.uri,
        target: Target { key, name: stored.name, resource: stored.resource.map(|[crn, kind]| Resource { crn, kind }) },
        details: stored.details.into_iter().map(load_detail).collect::<Option<_>>()?,
    })
}

fn load_detail(stored: StoredDetail) -> Option<Detail> {
    let side = if stored.response { Side::Response } else { Side::Request };
    let value = match (stored.text, stored.number, stored.flag) {
        (Some(text), None, None) => Datum::Text(text),
        (None, Some(number), None) => Datum::Number(number),
        (None, None, Some(flag)) => Datum::Flag(flag),
        _ => return None,
    };
    Some(Detail { side, path: stored.path, value })
}
