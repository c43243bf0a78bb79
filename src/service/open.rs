//! Opening the store: checks, first contents, and what is kept in memory.

use std::sync::Arc;
use std::thread::JoinHandle;

use zeroize::Zeroizing;

use crate::app::audit::AuditQueue;
use crate::app::error::Error;
use crate::app::import_key_pool::ImportKeyPool;
use crate::app::metrics::Metrics;
use crate::app::resource_keys::HmacPair;
use crate::app::subscribers::Gateway;
use crate::app::tick::CLOCK;
use crate::app::time::Journal;
use crate::app::tokens::{AuthMode, GENERATION, Tokens};
use crate::app::vault::Vault;
use crate::app::{App, Memory, builtin, resource_keys};
use crate::clock::{Clock, Course, Motion};
use crate::config::{AuthChoice, ClockMode, Config};
use crate::crypto::local_ca::LocalCa;
use crate::crypto::random::Random;
use crate::crypto::signer::{self, Signer};
use crate::domain::duration::Span;
use crate::domain::material::Material;
use crate::domain::settings::{Setting, Settings};
use crate::service::StartError;
use crate::service::data_folder::DataFolder;
use crate::service::webhooks;
use crate::store::due::Ahead;
use crate::store::file::Database;
use crate::store::tx::Tx;
use crate::store::writer::Committed;
use crate::store::{audit, deliveries, due, file, iam_identities, iam_policies, instances, meta, secrets, settings};

/// Connections for reading.
const READERS: usize = 2;
/// Counts the starts on a data folder: a seeded generator gives other bytes at each.
const STARTS: &str = "starts";
/// Stands for the start in which a fresh store gets its first contents.
const FIRST_CONTENTS: u64 = u64::MAX;
/// Name of the signing key, in tokens and in the store.
const KEY_NAME: &str = "signing-key-name";
/// Names of secrets in the store.
const SIGNING_KEY: &str = "signing-key";
const OWNER_KEY: &str = "owner-api-key";
const LOCAL_CA: &str = "local-ca";

/// What is at hand once the store is open.
pub(crate) struct Opened {
    pub(crate) app: Arc<App>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    /// The account owner's API key.
    pub(crate) owner_key: Zeroizing<String>,
    /// The HMAC pair of the built-in storage instance.
    pub(crate) cos_hmac: HmacPair,
    pub(crate) ca: LocalCa,
}

/// What the store holds of the service itself.
struct Held {
    clock: Clock,
    key_name: String,
    generation: i64,
    ahead: Ahead,
    next_record: i64,
    instances: Vec<crate::domain::instance::Instance>,
    policies: Vec<crate::domain::iam_policy::IamPolicy>,
    settings: Settings,
    service_ids: std::collections::HashSet<String>,
}

/// Opens the store of a folder; a fresh one gets its first contents.
///
/// # Errors
/// For a damaged store, a master key that does not fit, or a disk that refuses.
pub(crate) fn open(config: &Config, folder: &DataFolder) -> Result<Opened, StartError> {
    let path = folder.database();
    let fresh = !path.exists();
    // An RSA key takes its time, so it is made beside everything else.
    let signing_key = fresh.then(|| std::thread::spawn(signer::generate_key));
    let master_key = folder.master_key(config, &Random::system())?;
    let mut vault = Vault::new(master_key, random(config, FIRST_CONTENTS));
    if let Some(made) = signing_key {
        let key = made.join().map_err(|_| StartError("the signing key could not be made".to_owned()))?;
        let key = key.map_err(|error| StartError(error.to_string()))?;
        let clock = start_clock(config, None);
        file::create(&path, |tx| fill(tx, &vault, &key, &clock).map_err(StartError::from))?;
    }
    let database = Database::open(&path)
        .map_err(|error| StartError(format!("{error}; move it away to start afresh, or put a copy back")))?;
    // The secrets come first: with a wrong master key nothing is changed.
    let (signing_key, owner_key, cos_hmac, ca) = database.in_transaction(|tx| {
        let pair = resource_keys::built_in_pair(tx, &vault)?;
        let secret = |name| secret(tx, &vault, name);
        Ok::<_, Error>((secret(SIGNING_KEY)?, secret(OWNER_KEY)?, pair, secret(LOCAL_CA)?))
    })?;
    let ca = LocalCa::from_material(&ca).map_err(|error| StartError(error.to_string()))?;
    let starts = database.in_transaction(count_start)?;
    vault.random = random(config, starts);
    let signer = Signer::new(&signing_key).map_err(|error| StartError(error.to_string()))?;
    if let Some(span) = &config.cos_key_info_ttl {
        database.in_transaction(|tx| turn(tx, span.clone()))?;
    }
    let held = database.in_transaction(|tx| held(tx, config))?;
    let mode = match config.auth {
        AuthChoice::Token => AuthMode::Token,
        AuthChoice::Strict => AuthMode::Strict,
    };
    let metrics = Arc::new(Metrics::new());
    let shared = Arc::clone(&metrics);
    let tokens = Tokens::new(signer, held.key_name, held.generation, owner_key.bytes(), mode, shared);
    tokens.service_ids.put(held.service_ids);
    let tokens = Arc::new(tokens);
    let memory = Arc::new(Memory::new(held.instances, &held.policies, held.settings, Arc::clone(&tokens), held.ahead));
    let remembered = Arc::clone(&memory);
    let no_thread = |error: std::io::Error| StartError(format!("the system gives no thread: {error}"));
    let on_commit = Box::new(move |committed: &Committed| remembered.on_commit(committed));
    let snapshots = Arc::default();
    let (writer, thread) = database.start_writer(&path, &snapshots, on_commit).map_err(no_thread)?;
    let (reader, mut threads) = file::start_readers(&path, &snapshots, READERS)?;
    let (archive, archive_threads) = file::start_readers(&path, &snapshots, 1)?;
    threads.extend(archive_threads);
    threads.push(thread);
    let app = App {
        clock: held.clock,
        vault,
        memory,
        tokens,
        audit: AuditQueue::new(held.next_record),
        receivers: webhooks::receivers(config),
        metrics,
        writer,
        reader,
        archive,
        import_keys: ImportKeyPool::default(),
        ticking: tokio::sync::Mutex::new(()),
        moving: tokio::sync::Mutex::new(()),
        journal: Journal::default(),
        gateway: Gateway::default(),
    };
    let owner_key = String::from_utf8_lossy(owner_key.bytes()).into_owned();
    Ok(Opened { app: Arc::new(app), threads, owner_key: Zeroizing::new(owner_key), cos_hmac, ca })
}

fn start_clock(config: &Config, stored: Option<Course>) -> Clock {
    let (motion, not_before) = match config.clock {
        None => (None, None),
        Some(ClockMode::Running) => (Some(Motion::Running), None),
        Some(ClockMode::Frozen(at)) => (Some(Motion::Frozen), at),
    };
    Clock::start(stored, config.time_scale, motion, not_before)
}

/// Other bytes for each start, from a seed; else the system's.
fn random(config: &Config, start: u64) -> Random {
    config.deterministic.map_or_else(Random::system, |seed| Random::seeded(seed, start))
}

fn count_start(tx: &Tx<'_>) -> Result<u64, Error> {
    let starts: u64 = meta::get(tx, STARTS)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    meta::set(tx, STARTS, &(starts + 1).to_string())?;
    Ok(starts)
}

/// The option outranks what the store has, and stays.
fn turn(tx: &Tx<'_>, cos_key_info_ttl: Span) -> Result<(), Error> {
    let wanted = Settings { cos_key_info_ttl, ..settings::all(tx)? };
    Ok(settings::keep(tx, Setting::CosKeyInfoTtl, &wanted)?)
}

/// The first contents of a fresh store.
fn fill(tx: &Tx<'_>, vault: &Vault, signing_key: &Material, clock: &Clock) -> Result<(), Error> {
    let (now, real_now) = (clock.now(), clock.real_seconds());
    keep_secret(tx, vault, LOCAL_CA, LocalCa::generate(real_now)?.to_material().bytes())?;
    let name: [u8; 8] = vault.random.array()?;
    meta::set(tx, KEY_NAME, &hex::encode(name))?;
    keep_secret(tx, vault, SIGNING_KEY, signing_key.bytes())?;
    let owner_key: [u8; 33] = vault.random.array()?;
    keep_secret(tx, vault, OWNER_KEY, crate::crypto::base64::encode_url(owner_key).as_bytes())?;
    resource_keys::keep_built_in_pair(tx, vault)?;
    for instance in builtin::instances(now) {
        instances::insert(tx, &instance)?;
    }
    if let Some(policy) = builtin::authorization(now) {
        iam_policies::insert(tx, &policy)?;
    }
    Ok(())
}

fn keep_secret(tx: &Tx<'_>, vault: &Vault, name: &str, secret: &[u8]) -> Result<(), Error> {
    let (nonce, sealed) = vault.seal(name, secret)?;
    Ok(secrets::insert(tx, name, nonce, &sealed)?)
}

fn secret(tx: &Tx<'_>, vault: &Vault, name: &'static str) -> Result<Material, Error> {
    let row = secrets::get(tx, name)?;
    let missing = || crate::store::Error::Inconsistent { table: "secrets", row: name.to_owned(), column: "sealed" };
    Ok(vault.open(name, row.ok_or_else(missing)?)?)
}

fn held(tx: &Tx<'_>, config: &Config) -> Result<Held, Error> {
    let damaged =
        |name: &str| crate::store::Error::Inconsistent { table: "meta", row: name.to_owned(), column: "value" };
    let course = match meta::get(tx, CLOCK)? {
        None => None,
        Some(text) => Some(Course::from_text(&text).ok_or_else(|| damaged(CLOCK))?),
    };
    let generation = match meta::get(tx, GENERATION)? {
        None => 0,
        Some(text) => text.parse().map_err(|_| damaged(GENERATION))?,
    };
    let clock = start_clock(config, course);
    deliveries::unclaim_all(tx, clock.now())?;
    Ok(Held {
        clock,
        key_name: meta::get(tx, KEY_NAME)?.ok_or_else(|| damaged(KEY_NAME))?,
        generation,
        ahead: due::ahead(tx)?,
        next_record: audit::next_number(tx)?,
        instances: instances::all(tx)?,
        policies: iam_policies::all_in_force(tx)?,
        service_ids: iam_identities::living(tx)?,
        settings: settings::all(tx)?,
    })
}
