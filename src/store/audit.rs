//! Audit records in blocks. A block's text is JSON, since it is only ever read whole and back into records; those of the
//! data plane, of which there are many, are bytes beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::params;
use serde::{Deserialize, Serialize};

use crate::domain::audit::{Datum, Detail, Initiator, Record, Resource, Side, Target};
use crate::domain::id::KeyId;
use crate::store::Error;
use crate::store::audit_lights::{self, Light, Lights};
use crate::store::tx::Tx;

/// Records that are kept; with more, the oldest blocks go.
const RECORDS_MAX: i64 = 1_000_000;
/// How often single records look for blocks over the limit.
const RECORDS_BETWEEN_SWEEPS: i64 = 1_024;
/// Room for what the records of a block share, in bytes.
const ROOM_FOR_COMMONS: usize = 2 * 1024;
/// Bytes of a written block that the next one gets as room, at most.
const ROOM_BYTES_MAX: usize = 1024 * 1024;

/// What records of the data plane share, all but time and correlation id: it stands once in a block.
#[derive(Debug)]
pub(crate) struct Common {
    record: Record,
    /// Serial of the last block that has it, and its index there, so that nobody has to search. Blocks are written by one
    /// at a time.
    serial: AtomicU32,
    index: AtomicU32,
}

impl Common {
    /// In no block yet.
    pub(crate) fn new(record: Record) -> Self {
        Self { record, serial: AtomicU32::new(0), index: AtomicU32::new(0) }
    }

    /// The path and query of those that share it.
    pub(crate) fn uri(&self) -> &str {
        &self.record.uri
    }
}

/// A block in the making. Records are written down as they come and not kept: what is allocated for a request is freed
/// where it was, while it is still in the processor's cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    /// Tells blocks apart; those that take records of the data plane have one of their own, above zero.
    serial: u32,
    /// Numbers of the first and of the last record.
    span: Option<(i64, i64)>,
    records: usize,
    commons: Vec<Arc<Common>>,
    /// Records of the data plane.
    lights: Lights,
    /// The others: JSON, with commas between.
    entries: Vec<u8>,
}

impl Block {
    /// The empty block after this one, in the room that a stored one has left.
    pub(crate) fn next(&self, mut room: Vec<u8>) -> Self {
        room.clear();
        room.shrink_to(ROOM_BYTES_MAX);
        let serial = self.serial.checked_add(1).unwrap_or(1);
        Self { serial, lights: Lights::new(room), ..Self::default() }
    }

    /// How many records it holds.
    pub(crate) fn len(&self) -> usize {
        self.records
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, number: i64, record: &Record) {
        self.count(number);
        if !self.entries.is_empty() {
            self.entries.push(b',');
        }
        push(&mut self.entries, &(number, store(record)));
    }

    /// Adds a record of the data plane; `at` is virtual time in milliseconds.
    pub(crate) fn push_light(&mut self, number: i64, common: &Arc<Common>, at: i64, correlation: &str) {
        let index = self.index(common);
        self.count(number);
        self.lights.push(number, index, at, correlation);
    }

    fn count(&mut self, number: i64) {
        let (first, last) = self.span.unwrap_or((number, number));
        self.span = Some((first.min(number), last.max(number)));
        self.records += 1;
    }

    fn index(&mut self, common: &Arc<Common>) -> u32 {
        if common.serial.load(Ordering::Relaxed) == self.serial {
            return common.index.load(Ordering::Relaxed);
        }
        let index = u32::try_from(self.commons.len()).unwrap_or(u32::MAX);
        common.serial.store(self.serial, Ordering::Relaxed);
        common.index.store(index, Ordering::Relaxed);
        self.commons.push(Arc::clone(common));
        index
    }

    fn json(&self) -> String {
        let mut text = Vec::with_capacity(self.entries.len() + ROOM_FOR_COMMONS);
        text.extend_from_slice(b"{\"entries\":[");
        text.extend_from_slice(&self.entries);
        text.extend_from_slice(b"],\"commons\":");
        push(&mut text, &self.commons.iter().map(|common| store(&common.record)).collect::<Vec<_>>());
        text.push(b'}');
        // JSON is UTF-8.
        String::from_utf8(text).unwrap_or_default()
    }

    /// What it was written in, for the next one.
    pub(crate) fn into_room(self) -> Vec<u8> {
        self.lights.into_room()
    }
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

#[derive(Deserialize)]
struct StoredBlock {
    commons: Vec<StoredRecord>,
    /// Numbers and records.
    entries: Vec<(i64, StoredRecord)>,
}

/// Stores a block, and drops the oldest ones when there are too many records. Nothing is done without records.
///
/// # Errors
/// The store's.
pub(crate) fn append(tx: &Tx<'_>, block: &Block) -> Result<(), Error> {
    let Some((first, last)) = block.span else { return Ok(()) };
    let insert = "INSERT INTO audit (first, last, block, lights) VALUES (?1, ?2, ?3, ?4)";
    tx.prepare(insert)?.execute(params![first, last, block.json(), block.lights.bytes()])?;
    if block.records > 1 || first % RECORDS_BETWEEN_SWEEPS == 0 {
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
    let mut statement = tx.prepare("SELECT first, block, lights FROM audit ORDER BY first")?;
    let mut rows = statement.query([])?;
    let mut waiting: BTreeMap<i64, Record> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let first: i64 = row.get(0)?;
        let (text, lights): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let later = waiting.split_off(&first);
        std::mem::replace(&mut waiting, later).into_values().for_each(&mut take);
        let damaged = || Error::Inconsistent { table: "audit", row: first.to_string(), column: "block" };
        waiting.extend(decode(&text, &lights).ok_or_else(damaged)?);
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
    let mut statement = tx.prepare(
        "SELECT first, last, block, lights FROM audit WHERE first BETWEEN ?1 AND ?2 AND last > ?3 ORDER BY first",
    )?;
    let mut rows = statement.query([block, last, after])?;
    let mut found: BTreeMap<i64, Record> = BTreeMap::new();
    let mut next_block = last.saturating_add(1);
    while let Some(row) = rows.next()? {
        let (first, ends): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (text, lights): (String, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let damaged = || Error::Inconsistent { table: "audit", row: first.to_string(), column: "block" };
        let records = decode(&text, &lights).ok_or_else(damaged)?;
        found.extend(records.into_iter().filter(|(number, _)| *number > after && *number <= last));
        if ends > last {
            next_block = next_block.min(first);
        }
    }
    Ok((found.into_values().collect(), next_block))
}

/// Appends JSON. Strings, numbers and lists of them always serialize.
fn push<T: Serialize>(text: &mut Vec<u8>, value: &T) {
    let written = serde_json::to_writer(text, value);
    debug_assert!(written.is_ok(), "a value that is no JSON");
}

fn decode(text: &str, lights: &[u8]) -> Option<Vec<(i64, Record)>> {
    let block: StoredBlock = serde_json::from_str(text).ok()?;
    let commons: Vec<Record> = block.commons.into_iter().map(load).collect::<Option<_>>()?;
    let lights = audit_lights::read(lights)?.into_iter().map(|Light { number, common, at, correlation }| {
        let common = commons.get(usize::try_from(common).ok()?)?.clone();
        Some((number, Record { at, correlation, ..common }))
    });
    let whole = block.entries.into_iter().map(|(number, record)| Some((number, load(record)?)));
    whole.chain(lights).collect()
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
