//! One seed's world: what is done, in order of time, by people, receivers, the dispatcher and crashes.

mod deeds;
mod setup;

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::app::deliveries::{Hands, Made, Parcel, is_wanted_within, step_within};
use crate::app::tick::run_group;
use crate::app::{App, builtin, itself};
use crate::domain::context::Context;
use crate::domain::id::{DeliveryId, InstanceId, KeyId};
use crate::domain::instance::Instance;
use crate::domain::key::machine::Action;
use crate::domain::operation::Operation;
use crate::domain::time::Timestamp;
use crate::service::simulation::conduct::Receiver;
use crate::service::simulation::model::Model;
use crate::service::simulation::{Dice, Totals};
use crate::store::delivery_log::{self, Wanted};
use crate::store::tx::Tx;
use crate::store::{audit, deliveries, due};

const START_MS: i64 = 1_767_225_600_000;
/// Attempts at once for one subscriber.
const CONNECTIONS_MAX: usize = 4;
/// The dispatcher looks again so much later when nothing came of what is due.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(50);
/// A seed that takes more turns does not end.
const TURNS_MAX: usize = 20_000;

/// What people do.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Act(Action),
    Acknowledge,
    Unregister,
    Unsubscribe,
    Subscribe,
    SendAgain,
    Crash,
}

/// An attempt that is being made.
struct Flight {
    delivery: DeliveryId,
    subscriber: String,
    made: Made,
}

/// What the dispatcher holds for a subscriber.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Parcel>,
    connections: usize,
}

pub(super) struct World<'a> {
    app: &'a App,
    tx: &'a Tx<'a>,
    dice: Dice,
    /// True when each thing that happens is printed.
    told: bool,
    now: Timestamp,
    instance: Arc<Instance>,
    keys: Vec<KeyId>,
    receivers: HashMap<String, Receiver>,
    hands: HashMap<String, Hands>,
    lanes: HashMap<String, Lane>,
    flights: Vec<Flight>,
    finished: Vec<Flight>,
    plan: VecDeque<(Timestamp, Deed)>,
    model: Model,
    trace: DefaultHasher,
    crashes: usize,
    /// Nothing came of the last turn: what is due waits for an answer.
    idle: bool,
}

impl<'a> World<'a> {
    pub(super) fn new(app: &'a App, tx: &'a Tx<'a>, dice: Dice, told: bool) -> Self {
        let id = InstanceId::parse(builtin::KEY_PROTECT_ID).unwrap();
        Self {
            app,
            tx,
            dice,
            told,
            now: Timestamp::from_millis(START_MS),
            instance: app.memory.instances.get(id).unwrap(),
            keys: Vec::new(),
            receivers: HashMap::new(),
            hands: HashMap::new(),
            lanes: HashMap::new(),
            flights: Vec::new(),
            finished: Vec::new(),
            plan: VecDeque::new(),
            model: Model::default(),
            trace: DefaultHasher::new(),
            crashes: 0,
            idle: false,
        }
    }

    /// Lives the seed's life to its end; a digest of it.
    pub(super) fn run(mut self, total: &mut Totals) -> u64 {
        self.set_up();
        let mut turns = 0;
        while let Some(next) = self.next() {
            turns += 1;
            assert!(turns < TURNS_MAX, "it does not end");
            self.now = self.now.max(next);
            self.land();
            if self.plan.front().is_some_and(|(at, _)| *at <= self.now) {
                let (_, deed) = self.plan.pop_front().unwrap();
                self.pass_time();
                self.do_deed(deed);
            }
            self.turn();
        }
        let wanted = Wanted::default();
        let log = delivery_log::page(self.tx, &wanted, usize::MAX).unwrap();
        let mut records = Vec::new();
        audit::walk(self.tx, |record| records.push(record)).unwrap();
        records.retain(|record| record.action.starts_with("kms.secrets.ack-"));
        self.model.ended(&log, &records, total);
        total.crashes += self.crashes;
        self.trace.finish()
    }

    /// When something happens next.
    fn next(&self) -> Option<Timestamp> {
        let ahead = due::ahead(self.tx).unwrap();
        let planned = self.plan.front().map(|(at, _)| *at);
        let again = self.now.plus(ASK_AGAIN).millis();
        let attempt = ahead.attempt.map(|at| if self.idle && at <= self.now.millis() { again } else { at });
        let store = ahead.work.into_iter().chain(attempt).map(Timestamp::from_millis);
        let answers = self.flights.iter().map(|flight| flight.made.answered_at);
        store.chain(answers).chain(planned).min()
    }

    fn tell(&mut self, what: &dyn std::fmt::Debug) {
        if self.told {
            println!("{} {what:?}", self.now.rfc3339_exact());
        }
        (self.now.millis(), format!("{what:?}")).hash(&mut self.trace);
    }

    fn context(&self, operation: Operation) -> Context {
        itself::context(Arc::clone(&self.instance), operation, self.now, "simulation".to_owned())
    }

    /// Answers arrive, and connections take up what waits.
    fn land(&mut self) {
        let mut arrived: Vec<Flight> = Vec::new();
        let now = self.now;
        while let Some(place) = self.flights.iter().position(|flight| flight.made.answered_at <= now) {
            arrived.push(self.flights.remove(place));
        }
        arrived.sort_by_key(|flight| flight.made.answered_at);
        for flight in arrived {
            let name = flight.subscriber.clone();
            self.finished.push(flight);
            self.lanes.get_mut(&name).expect("a lane").connections -= 1;
            self.send_next(&name);
        }
    }

    fn send_next(&mut self, name: &str) {
        let lane = self.lanes.entry(name.to_owned()).or_default();
        if lane.connections >= CONNECTIONS_MAX {
            return;
        }
        let Some(parcel) = lane.waiting.pop_front() else { return };
        lane.connections += 1;
        let (place, cause) = (parcel.claimed.delivery, parcel.claimed.cause);
        let delivery = self.id_of(place);
        let mut made = Made {
            delivery: place,
            cause,
            due_at: parcel.claimed.due_at,
            at: self.now,
            answered_at: self.now,
            answer: None,
            ack: parcel.ack(),
        };
        // What has waited for a connection may have become void.
        if is_wanted_within(self.tx, place, cause, self.now).unwrap() {
            let exchange = self.receivers[name].receive(&mut self.dice, self.now);
            self.model.sent(delivery, self.now, exchange.arrived);
            let (status, error) = (exchange.answer.status, exchange.answer.error);
            self.tell(&(name.to_owned(), delivery.seed(), status, error, exchange.arrived));
            made.answered_at = self.now.plus(exchange.takes);
            made.answer = Some(exchange.answer);
        }
        self.flights.push(Flight { delivery, subscriber: name.to_owned(), made });
    }

    fn id_of(&self, place: i64) -> DeliveryId {
        deliveries::get(self.tx, place).unwrap().expect("the delivery").course.id
    }

    /// What is due is done.
    fn pass_time(&mut self) {
        while !run_group(self.app, self.tx, self.now).unwrap().is_empty() {}
        self.model.time_passed(self.now);
    }

    /// The dispatcher's turn; now and then it is cut off, before its commit or right after it.
    fn turn(&mut self) {
        let finished = std::mem::take(&mut self.finished);
        self.idle = false;
        let made: Vec<Made> = finished.iter().map(|flight| flight.made.clone()).collect();
        if self.dice.chance(4) {
            let (app, now, hands) = (self.app, self.now, self.hands.clone());
            self.tx.undone(|tx| {
                run_group(app, tx, now).unwrap();
                step_within(app, tx, &made, &hands, now).map(drop).unwrap();
            });
            return self.crash();
        }
        self.pass_time();
        let out = step_within(self.app, self.tx, &made, &self.hands, self.now).unwrap();
        let finished_count = finished.len();
        for Flight { delivery, subscriber, made } in finished {
            match &made.answer {
                Some(answer) => self.model.recorded(delivery, made.answered_at, answer, made.ack),
                None => self.model.recalled(delivery),
            }
            self.hands.get_mut(&subscriber).expect("hands").count -= 1;
        }
        for (name, last_key) in out.last_keys {
            self.hands.entry(name).or_default().last_key = last_key;
        }
        self.idle = finished_count == 0 && out.parcels.is_empty();
        let mut names = Vec::new();
        for parcel in out.parcels {
            let id = self.id_of(parcel.claimed.delivery);
            self.model.handed_out(id, parcel.claimed.cause, self.now, &parcel.claimed.body);
            let name = parcel.recipient.subscriber.name.clone();
            self.hands.entry(name.clone()).or_default().count += 1;
            self.lanes.entry(name.clone()).or_default().waiting.push_back(parcel);
            names.push(name);
        }
        if self.dice.chance(4) {
            return self.crash();
        }
        for name in names {
            self.send_next(&name);
        }
        self.model.is_prompt();
    }

    /// All that is in memory is lost; after a while the service starts anew.
    fn crash(&mut self) {
        self.crashes += 1;
        self.idle = false;
        self.hands.clear();
        self.lanes.clear();
        self.flights.clear();
        self.finished.clear();
        let longest = *self.dice.pick(&[1_000, 1_000, 60_000, 20_000_000]);
        let up_again = self.now.plus(Duration::from_millis(self.dice.below(longest)));
        self.tell(&("crash", up_again.rfc3339_exact()));
        self.model.crashed(self.now, up_again);
        self.now = up_again;
        deliveries::unclaim_all(self.tx, self.now).unwrap();
    }
}
