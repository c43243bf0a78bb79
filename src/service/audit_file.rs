//! `--audit-file`: each audit record as a line of JSON, once it is stored, in order.
//!
//! A task reads the records back from the store, so that no request waits for the file. How far the file has come is
//! kept in the store: number of the last record, and length of the file then. Lines beyond that length are counted at
//! the next start, so that after a crash none is missing and none is there twice.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Error as IoError, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{error, info};

use crate::app::App;
use crate::app::audit::Place;
use crate::app::error::Error;
use crate::domain::audit::Record;
use crate::http::audit_record::render;
use crate::service::StartError;
use crate::store::meta;

/// Records that are read at once.
const BATCH_RECORDS: i64 = 4_096;
/// How often the place is kept, and a file that could not be written is tried again; real time.
const BEAT: Duration = Duration::from_secs(1);
/// Records that come shortly after one another are written together; real time.
const GATHER: Duration = Duration::from_millis(20);
/// Real time that a stop waits for the last lines.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// The task that writes the file.
pub(crate) struct AuditFile {
    task: JoinHandle<()>,
    stop: Arc<Notify>,
}

impl AuditFile {
    /// Opens the file and goes on where it ends.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) async fn start(app: Arc<App>, path: &Path) -> Result<Self, StartError> {
        let wrong = |why: &dyn std::fmt::Display| {
            StartError(format!("--audit-file {}: {why}; name a file that can be written", path.display()))
        };
        let path = std::path::absolute(path).map_err(|error| wrong(&error))?;
        let name = format!("audit-file {}", path.display());
        let wanted = name.clone();
        let kept = app.read(move |tx| Ok(meta::get(tx, &wanted)?)).await?.and_then(|text| Kept::read(&text));
        let written = take_up(&path, kept).map_err(|error| wrong(&error))?;
        // A number that was taken and not used before a crash is given again.
        let newest = app.records_so_far() - 1;
        let place = Place::after(kept.map_or(newest, |kept| kept.number.min(newest)));
        let mut writer = Writer { app, path, name, place, written, kept, broken: false };
        writer.keep().await;
        let stop = Arc::new(Notify::new());
        let task = actix_web::rt::spawn(writer.run(Arc::clone(&stop)));
        Ok(Self { task, stop })
    }

    /// Writes what is stored by now, and ends.
    pub(crate) async fn stop(self) {
        self.stop.notify_one();
        if timeout(STOP_DEADLINE, self.task).await.is_err() {
            error!("the audit file did not get its last lines in time; the next start appends them");
        }
    }

    /// Ends without waiting.
    pub(crate) fn abort(&self) {
        self.task.abort();
    }
}

/// What the store keeps of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kept {
    /// Of the last record in the file.
    number: i64,
    /// The file's length after it, in bytes.
    length: u64,
}

impl Kept {
    fn read(text: &str) -> Option<Self> {
        let (number, length) = text.split_once(' ')?;
        Some(Self { number: number.parse().ok()?, length: length.parse().ok()? })
    }
}

struct Writer {
    app: Arc<App>,
    path: PathBuf,
    /// Of what the store keeps.
    name: String,
    place: Place,
    /// Lines after the place that are in the file already.
    written: usize,
    kept: Option<Kept>,
    /// The file could not be written the last time.
    broken: bool,
}

impl Writer {
    async fn run(mut self, stop: Arc<Notify>) {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut last = false;
            tokio::select! {
                () = stop.notified() => last = true,
                _ = beats.tick() => self.keep().await,
                () = self.app.audit.news.notified() => {
                    last = timeout(GATHER, stop.notified()).await.is_ok();
                }
            }
            self.catch_up().await;
            if last {
                self.keep().await;
                return;
            }
        }
    }

    /// Appends what is stored by now.
    async fn catch_up(&mut self) {
        loop {
            match self.append_some().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(why) => {
                    if !self.broken {
                        error!(path = %self.path.display(), %why, "the audit file cannot be written; its lines wait");
                    }
                    self.broken = true;
                    return;
                }
            }
        }
    }

    /// How many records were read.
    async fn append_some(&mut self) -> Result<usize, String> {
        let (records, place) =
            self.app.next_records(self.place, BATCH_RECORDS).await.map_err(|fault| fault.to_string())?;
        if place == self.place {
            return Ok(0);
        }
        let count = records.len();
        let known = self.written.min(count);
        let path = self.path.clone();
        let appended = tokio::task::spawn_blocking(move || append(&path, records.get(known..).unwrap_or_default()));
        appended.await.map_err(|panic| panic.to_string())?.map_err(|error| error.to_string())?;
        self.written -= known;
        self.place = place;
        if self.broken {
            info!(path = %self.path.display(), "the audit file is written again");
            self.broken = false;
        }
        Ok(count.max(1))
    }

    /// Tells the store how far the file has come.
    async fn keep(&mut self) {
        if self.written > 0 {
            return;
        }
        let Ok(length) = std::fs::metadata(&self.path).map(|file| file.len()) else { return };
        let kept = Kept { number: self.place.after, length };
        if self.kept == Some(kept) {
            return;
        }
        let (name, text) = (self.name.clone(), format!("{} {}", kept.number, kept.length));
        let stored: Result<(), Error> = self.app.write(move |tx| Ok(meta::set(tx, &name, &text)?)).await;
        match stored {
            Ok(()) => self.kept = Some(kept),
            Err(fault) => fault.report("how far the audit file has come is not kept"),
        }
    }
}

fn open(path: &Path) -> Result<File, IoError> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Appends a line for each record: all of them or, where the file can be cut, none.
fn append(path: &Path, records: &[Record]) -> Result<(), IoError> {
    if records.is_empty() {
        return Ok(());
    }
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, &render(record))?;
        lines.push(b'\n');
    }
    let mut file = open(path)?;
    let before = file.metadata()?.len();
    file.write_all(&lines).inspect_err(|_| {
        // Half a line is worse than none; what cannot be cut, such as a pipe, stays as it is.
        drop(file.set_len(before));
    })
}

/// Makes the file end with a whole line; how many lines there are beyond what is kept.
fn take_up(path: &Path, kept: Option<Kept>) -> Result<usize, IoError> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
    let described = file.metadata()?;
    if !described.is_file() || described.len() == 0 {
        return Ok(0);
    }
    let Some(kept) = kept.filter(|kept| kept.length <= described.len()) else {
        end_line(&mut file)?;
        return Ok(0);
    };
    file.seek(SeekFrom::Start(kept.length))?;
    let mut lines = 0;
    let mut length = kept.length;
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        lines += 1;
        length += line.len() as u64;
        line.clear();
    }
    file.set_len(length)?;
    Ok(lines)
}

/// Ends a line that somebody else has begun.
fn end_line(file: &mut File) -> Result<(), IoError> {
    let mut last = [0; 1];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}
