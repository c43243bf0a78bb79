//! The dispatcher: asks what goes out, has it posted, and brings back what came of it. It decides nothing itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::debug;

use crate::app::App;
use crate::app::deliveries::{self, HandedOut, Hands, Made, Parcel};
use crate::app::tick::tick;
use crate::clock;
use crate::delivery::client::{Client, Outgoing};
use crate::delivery::turns::Turns;
use crate::domain::attempt::{Answer, AttemptError};

/// Attempts at once for one subscriber. Source: `docs/contract/reliability.md` T-16.
const CONNECTIONS_MAX: usize = 4;
/// Real time after which a parcel is looked at again before it is sent.
const HELD_LONG: Duration = Duration::from_millis(50);
/// Real time until the store is asked again when all hands were full.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// Real time until the store is asked again when it refused.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Real time that attempts under way get at a stop; what is cut off is made again at the next start.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// How webhooks are posted.
pub(crate) struct Clients {
    /// To receivers that testers name.
    pub(crate) foreign: Client,
    /// To the service's own gateway, wherever that listens.
    pub(crate) own: Client,
}

/// What is in the dispatcher's hands for one subscriber.
#[derive(Default)]
struct Lane {
    waiting: Turns<Parcel>,
    /// Attempts being made where the subscriber is now.
    connections: usize,
    /// How often it has moved. A receiver that it has left holds none of its connections.
    moves: usize,
    /// All that was handed out and is not recorded yet.
    hands: Hands,
}

/// An attempt that has been made and is not recorded yet.
struct Finished {
    subscriber: String,
    made: Made,
}

/// All lanes, and what comes out of them.
struct Lanes {
    app: Arc<App>,
    clients: Clients,
    by_subscriber: Mutex<HashMap<String, Lane>>,
    finished: Mutex<Vec<Finished>>,
}

/// The running dispatcher.
pub(crate) struct Dispatcher {
    lanes: Arc<Lanes>,
    task: JoinHandle<()>,
}

impl Dispatcher {
    /// Starts to send what is due.
    pub(crate) fn start(app: Arc<App>, clients: Clients) -> Self {
        let lanes = Arc::new(Lanes { app, clients, by_subscriber: Mutex::default(), finished: Mutex::default() });
        let task = tokio::spawn(run(Arc::clone(&lanes)));
        Self { lanes, task }
    }

    /// Stops: no attempt is begun, those under way have a moment to end.
    pub(crate) async fn stop(self) {
        self.lanes.app.memory.dispatch.stop();
        self.lanes.abandon();
        drop(timeout(LAST_ANSWERS, self.lanes.quiet()).await);
        self.task.abort();
        // Nothing else takes what has come: the task is gone.
        drop(self.task.await);
        if let Err(fault) = self.lanes.step().await {
            fault.report("the last attempts are not recorded; they are made again");
        }
    }

    /// Stops without waiting.
    pub(crate) fn abort(&self) {
        self.lanes.app.memory.dispatch.stop();
        self.lanes.abandon();
        self.task.abort();
    }
}

async fn run(lanes: Arc<Lanes>) {
    let app = &lanes.app;
    let dispatch = &app.memory.dispatch;
    loop {
        let now = app.clock.now();
        if let Err(fault) = tick(app, now).await {
            fault.report("what is due could not be done");
        }
        lanes.follow();
        let mut patience = dispatch.until_next(&app.clock);
        let finished = !lanes.finished().is_empty();
        if finished || patience == Some(Duration::ZERO) {
            let stepped = lanes.step().await;
            dispatch.recorded(&stepped);
            patience = match stepped {
                Ok(0) => Some(ASK_AGAIN),
                Ok(_) => continue,
                Err(fault) => {
                    fault.report("attempts wait for the store");
                    Some(TRY_AGAIN)
                }
            };
        }
        let woken = dispatch.wake.notified();
        match patience {
            Some(patience) => drop(timeout(patience, woken).await),
            None => woken.await,
        }
    }
}

impl Lanes {
    /// Records what has come and takes what is due; how much that is, both together.
    async fn step(self: &Arc<Self>) -> Result<usize, crate::app::error::Error> {
        let finished = std::mem::take(&mut *self.finished());
        let made: Arc<Vec<Made>> = Arc::new(finished.iter().map(|one| one.made.clone()).collect());
        let hands = self.lanes().iter().map(|(name, lane)| (name.clone(), lane.hands.clone())).collect();
        match deliveries::step(&self.app, Arc::clone(&made), hands, self.app.clock.now()).await {
            Ok(handed_out) => {
                let count = finished.len() + handed_out.parcels.len();
                self.give_back(&finished);
                self.take(handed_out);
                Ok(count)
            }
            Err(fault) => {
                self.finished().extend(finished);
                Err(fault)
            }
        }
    }

    fn give_back(&self, finished: &[Finished]) {
        let mut lanes = self.lanes();
        for one in finished {
            if let Some(lane) = lanes.get_mut(&one.subscriber) {
                lane.hands.count = lane.hands.count.saturating_sub(1);
            }
        }
    }

    fn take(self: &Arc<Self>, handed_out: HandedOut) {
        let mut lanes = self.lanes();
        for (name, last_key) in handed_out.last_keys {
            lanes.entry(name).or_default().hands.last_key = last_key;
        }
        for parcel in handed_out.parcels {
            let name = parcel.recipient.subscriber.name.clone();
            let lane = lanes.entry(name.clone()).or_default();
            lane.hands.count += 1;
            lane.waiting.push(parcel.claimed.key.clone(), parcel);
            self.connect(&name, lane);
        }
    }

    /// Begins to send if there is room.
    fn connect(self: &Arc<Self>, name: &str, lane: &mut Lane) {
        if lane.connections < CONNECTIONS_MAX {
            lane.connections += 1;
            tokio::spawn(Arc::clone(self).send_all(name.to_owned(), lane.moves));
        }
    }

    /// Sends to subscribers that have moved without a wait for receivers that they have left.
    fn follow(self: &Arc<Self>) {
        let moved = self.app.memory.dispatch.take_moved();
        let mut lanes = self.lanes();
        for name in moved {
            let Some(lane) = lanes.get_mut(&name) else { continue };
            lane.moves += 1;
            lane.connections = 0;
            for _ in 0..lane.waiting.len().min(CONNECTIONS_MAX) {
                self.connect(&name, lane);
            }
        }
    }

    /// One connection's worth of attempts: one after the other, until nothing waits or the subscriber moves.
    async fn send_all(self: Arc<Self>, name: String, moves: usize) {
        while let Some(mut parcel) = self.next(&name, moves) {
            let (delivery, cause, due_at) = (parcel.claimed.delivery, parcel.claimed.cause, parcel.claimed.due_at);
            let at = self.app.clock.now();
            let is_wanted = self.is_wanted(&mut parcel).await;
            let ack = parcel.ack();
            let answer = if is_wanted {
                let sent = tokio::spawn(Arc::clone(&self).send(parcel)).await;
                Some(sent.unwrap_or_else(|_| Answer::failed(AttemptError::Reset)))
            } else {
                None
            };
            let answered_at = self.app.clock.now();
            let made = Made { delivery, cause, due_at, at, answered_at, answer, ack };
            self.finished().push(Finished { subscriber: name.clone(), made });
            self.app.memory.dispatch.wake.notify_one();
        }
    }

    /// What has waited for a while may have become void, and whom it goes to may have changed.
    async fn is_wanted(&self, parcel: &mut Parcel) -> bool {
        if parcel.held.elapsed() < HELD_LONG && !parcel.has_changed(&self.app) {
            return true;
        }
        // A store that does not answer refuses the record too: then it is sent again, which is what receivers expect.
        deliveries::look_again(&self.app, parcel).await.unwrap_or(true)
    }

    fn next(&self, name: &str, moves: usize) -> Option<Parcel> {
        let mut lanes = self.lanes();
        let lane = lanes.get_mut(name).filter(|lane| lane.moves == moves)?;
        let parcel = lane.waiting.pop();
        if parcel.is_none() {
            lane.connections -= 1;
        }
        parcel
    }

    async fn send(self: Arc<Self>, parcel: Parcel) -> Answer {
        let (clock, dispatch) = (&self.app.clock, &self.app.memory.dispatch);
        let subscriber = &parcel.recipient.subscriber;
        let client = if subscriber.built_in { &self.clients.own } else { &self.clients.foreign };
        let outgoing = Outgoing {
            url: subscriber.url.clone(),
            headers: parcel.headers(clock.real_seconds()),
            body: parcel.body(),
            timeout: self.app.settings().webhook_timeout.length(),
        };
        let begun = clock::stopwatch();
        let answer = tokio::select! {
            answer = client.post(outgoing, clock) => answer,
            () = dispatch.out_of_patience(&subscriber.name) => {
                Answer { latency: begun.elapsed(), ..Answer::failed(AttemptError::Timeout) }
            }
        };
        dispatch.ended(&subscriber.name, answer.error);
        let error = answer.error.map(AttemptError::name);
        debug!(subscriber = subscriber.name, status = answer.status, error, "attempt at a delivery");
        answer
    }

    /// Gives up what waits: it is still due in the store at the next start.
    fn abandon(&self) {
        self.lanes().values_mut().for_each(|lane| lane.waiting.clear());
    }

    /// Waits until no attempt is being made.
    async fn quiet(&self) {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while self.lanes().values().any(|lane| lane.connections > 0) {
            looks.tick().await;
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.by_subscriber.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finished(&self) -> MutexGuard<'_, Vec<Finished>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
