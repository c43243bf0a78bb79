//! Moving the clock: from due time to due time, and the answer when all is done.

use std::sync::{Arc, Mutex, PoisonError};

use crate::app::App;
use crate::app::error::Error;
use crate::app::tick::{CLOCK, tick};
use crate::clock::Reading;
use crate::domain::due::{Due, DueKind};
use crate::domain::time::Timestamp;
use crate::store::{due, meta};

/// The virtual time of a request: what is due by then has been done.
pub(crate) async fn present(app: &Arc<App>) -> Timestamp {
    let now = app.clock.now();
    if app.memory.next_due() <= now.millis()
        && let Err(fault) = Box::pin(tick(app, now)).await
    {
        fault.report("what is due could not be done");
    }
    now
}

/// Rows of a journey's report.
const REPORT_ROWS_MAX: usize = 1_000;

/// One move of the clock, virtual time: whatever recurs runs on the way. A hundred years with 25 leap days.
const JOURNEY_MAX: std::time::Duration = std::time::Duration::from_hours(24 * 36_525);

/// Where the clock should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A span from now.
    By(std::time::Duration),
    /// An instant.
    To(Timestamp),
}

/// What runs while the clock is moved, by whomever it is run.
#[derive(Default)]
pub(crate) struct Journal(Mutex<Option<Vec<Due>>>);

/// An open journal; closed when dropped.
struct Open<'a>(&'a Journal);

impl Journal {
    /// Notes what ran, if anybody wants to know.
    pub(crate) fn note(&self, ran: impl IntoIterator<Item = Due>) {
        if let Some(noted) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            noted.extend(ran);
        }
    }

    fn open(&self) -> Open<'_> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
        Open(self)
    }
}

impl Open<'_> {
    fn take(&self) -> Vec<Due> {
        let mut noted = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What an advance did.
pub(crate) struct Journey {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) ran: Vec<Ran>,
    /// Runs that the report leaves out.
    pub(crate) more: usize,
}

/// Runs of one kind at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) due: Due,
    pub(crate) count: usize,
}

/// Why the clock did not move.
#[derive(Debug)]
pub(crate) enum MoveRefusal {
    /// The target lies in the past; the clock's time is told.
    Backwards(Timestamp),
    /// The target lies beyond the calendar.
    TooFar,
    /// The target lies more than a hundred years ahead.
    TooLong,
    Fault(Error),
}

impl From<Error> for MoveRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

/// The clock, and what is due next.
///
/// # Errors
/// The store's fault.
pub(crate) async fn show(app: &Arc<App>) -> Result<(Reading, Option<Due>), Error> {
    let next = app.read(|tx| Ok(due::first(tx)?)).await?;
    Ok((app.clock.reading(), next))
}

/// Moves the clock forward and does all that falls due on the way, each at its own instant.
///
/// # Errors
/// `Backwards`, `TooFar`, `TooLong`, the store's fault.
pub(crate) async fn advance(app: &Arc<App>, target: Target) -> Result<Journey, MoveRefusal> {
    let _moving = app.moving.lock().await;
    let from = app.clock.now();
    let to = checked(from, target)?;
    travel(app, from, to).await
}

fn checked(from: Timestamp, target: Target) -> Result<Timestamp, MoveRefusal> {
    let to = match target {
        Target::By(span) => from.plus(span),
        Target::To(to) => to,
    };
    if to < from {
        Err(MoveRefusal::Backwards(from))
    } else if to.since(from) > JOURNEY_MAX {
        Err(MoveRefusal::TooLong)
    } else if to >= Timestamp::MAX {
        Err(MoveRefusal::TooFar)
    } else {
        Ok(to)
    }
}

async fn travel(app: &Arc<App>, from: Timestamp, to: Timestamp) -> Result<Journey, MoveRefusal> {
    let mut journey = Journey { from, to, ran: Vec::new(), more: 0 };
    let dispatch = &app.memory.dispatch;
    let _hurry = dispatch.hurry();
    let noted = app.journal.open();
    loop {
        tick(app, app.clock.now().min(to)).await?;
        dispatch.settled(&app.clock).await?;
        noted.take().into_iter().for_each(|due| journey.add(due));
        let next = Timestamp::from_millis(app.memory.next_due().min(dispatch.next()));
        if next > to {
            break;
        }
        app.clock.advance_to(next);
    }
    app.clock.advance_to(to);
    keep_course(app).await?;
    Ok(journey)
}

impl Journey {
    fn add(&mut self, due: Due) {
        if let Some(row) = self.ran.iter_mut().rev().take_while(|row| row.due.at == due.at).find(|row| row.due == due) {
            row.count += 1;
        } else if self.ran.len() < REPORT_ROWS_MAX {
            self.ran.push(Ran { due, count: 1 });
        } else {
            self.more += 1;
        }
    }
}

/// Stops time, at a later instant if one is given.
///
/// # Errors
/// As [`advance`].
pub(crate) async fn freeze(app: &Arc<App>, at: Option<Timestamp>) -> Result<(), MoveRefusal> {
    let _moving = app.moving.lock().await;
    let from = app.clock.now();
    let to = at.map(|at| checked(from, Target::To(at))).transpose()?;
    app.clock.freeze();
    match to {
        Some(to) => travel(app, from, to).await.map(drop),
        None => Ok(keep_course(app).await?),
    }
}

/// Lets time pass again.
///
/// # Errors
/// The store's fault.
pub(crate) async fn resume(app: &Arc<App>) -> Result<(), Error> {
    app.clock.resume();
    keep_course(app).await
}

/// Keeps the clock's course, so that a restart goes on from it.
///
/// # Errors
/// The store's fault.
pub(crate) async fn keep_course(app: &Arc<App>) -> Result<(), Error> {
    let course = app.clock.course().to_text();
    // Attempts may be due at another real time from now on.
    app.memory.dispatch.wake.notify_one();
    app.write(move |tx| Ok(meta::set(tx, CLOCK, &course)?)).await
}

impl Ran {
    /// The word for what ran.
    pub(crate) fn what(&self) -> &'static str {
        DueKind::name(self.due.kind)
    }
}
