//! One seed's world: what is done, in order of time, by people, receivers, the dispatcher and crashes.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::app::deliveries::{Hands, Made, Parcel, step_within};
use crate::app::tick::run_group;
use crate::app::{App, builtin, event_ack, itself, outbox, rotate_key, settle, subscribers as use_cases};
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::acknowledgement::{Acknowledgement, AdopterState};
use crate::domain::context::Context;
use crate::domain::crn::CrnQuery;
use crate::domain::event::{EventKind, Happening};
use crate::domain::id::{DeliveryId, InstanceId, KeyId, RingId};
use crate::domain::instance::Instance;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Kind, State, Version};
use crate::domain::operation::Operation;
use crate::domain::registration::{Registration, ResourceCrn};
use crate::domain::subscriber::{Ack, Scope, Subscriber};
use crate::domain::time::Timestamp;
use crate::service::simulation::conduct::Receiver;
use crate::service::simulation::model::{Listener, Model};
use crate::service::simulation::{Dice, Totals};
use crate::store::delivery_log::{self, Wanted};
use crate::store::tx::Tx;
use crate::store::{audit, deliveries, due, events, key_versions, keys, registrations, subscribers};

const START_MS: i64 = 1_767_225_600_000;
/// Attempts at once for one subscriber.
const CONNECTIONS_MAX: usize = 4;
/// A seed that takes more turns does not end.
const TURNS_MAX: usize = 20_000;
const SERVICE: &str = "cloud-object-storage";

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
    waiting: VecDeque<(Parcel, Timestamp)>,
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
        let store = ahead.work.into_iter().chain(ahead.attempt).map(Timestamp::from_millis);
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

    fn set_up(&mut self) {
        for number in 0..=self.dice.below(3) {
            self.subscribe(&format!("subscriber-{number}"));
        }
        for number in 0..=self.dice.below(2) {
            let key = self.make_key();
            for bucket in 0..=self.dice.below(3) {
                self.register(&key, &format!("bucket-{number}-{bucket}"));
            }
        }
        let mut at = self.now;
        for _ in 0..4 + self.dice.below(10) {
            let longest = *self.dice.pick(&[2_000, 60_000, 600_000, 7_200_000]);
            at = at.plus(Duration::from_millis(self.dice.below(longest)));
            let deed = self.any_deed();
            self.plan.push_back((at, deed));
        }
    }

    fn any_deed(&mut self) -> Deed {
        let acts = [Action::Rotate, Action::Disable, Action::Enable, Action::Delete, Action::Restore, Action::Sync];
        match self.dice.below(20) {
            0..=10 => Deed::Act(*self.dice.pick(&acts)),
            11..=13 => Deed::Acknowledge,
            14 => Deed::Unregister,
            15 => Deed::Unsubscribe,
            16 => Deed::Subscribe,
            17..=18 => Deed::SendAgain,
            _ => Deed::Crash,
        }
    }

    fn make_key(&mut self) -> Key {
        let id = self.app.vault.key_id().unwrap();
        let at = self.now.whole_seconds();
        let material = self.app.vault.generate().unwrap();
        let key = Key {
            id,
            instance: self.instance.id,
            ring: RingId::default_ring(),
            kind: Kind::Root,
            name: "simulated".to_owned(),
            description: None,
            tags: Vec::new(),
            aliases: Vec::new(),
            imported: false,
            bits: material.bits(),
            state: State::Active,
            expires_at: None,
            created_at: at,
            created_by: "simulation".to_owned(),
            updated_at: at,
            rotated_at: None,
            notified_at: None,
            version: Version { id: id.first_version(), created_at: at },
            authorization: None,
            rotation: None,
            dual_auth: None,
        };
        let sealed = self.app.vault.seal_version(id, key.version.id, &material).unwrap();
        keys::insert(self.tx, &key).unwrap();
        key_versions::insert(self.tx, id, &key.version, &sealed).unwrap();
        self.keys.push(id);
        key
    }

    fn register(&mut self, key: &Key, bucket: &str) {
        let crn = format!("crn:v1:bluemix:public:{SERVICE}:global:a/{}:cos:bucket:{bucket}", self.instance.account);
        let one = Registration {
            key: key.id,
            key_name: key.name.clone(),
            resource: ResourceCrn::parse(&crn).unwrap(),
            prevent_deletion: false,
            description: None,
            metadata: None,
            version: key.version,
            created_at: key.created_at,
            created_by: "simulation".to_owned(),
            updated_at: key.created_at,
            updated_by: "simulation".to_owned(),
            revision: 1,
        };
        registrations::insert(self.tx, &one).unwrap();
        self.model.registrations.push((key.id, crn));
    }

    fn subscribe(&mut self, name: &str) {
        let one_of_them = self.model.registrations.first().map(|(_, crn)| crn.clone());
        let resource = one_of_them.filter(|_| self.dice.chance(300));
        let kinds: Vec<EventKind> = EventKind::ALL.into_iter().filter(|_| self.dice.chance(900)).collect();
        let scope = match &resource {
            None => Scope::Service(SERVICE.to_owned()),
            Some(crn) => Scope::Resource(CrnQuery::parse(crn).unwrap()),
        };
        let subscriber = Subscriber {
            name: name.to_owned(),
            url: "http://127.0.0.1:9/hook".to_owned(),
            scope,
            events: kinds.clone(),
            ack: if self.dice.chance(800) { Ack::Http } else { Ack::EventAck },
            built_in: false,
            created_at: self.now,
        };
        let secret = WebhookSecret::generate(&self.app.vault.random).unwrap();
        let sealed = use_cases::seal(self.app, name, &secret).unwrap();
        subscribers::insert(self.tx, &subscriber, &sealed).unwrap();
        self.model.listeners.push(Listener { name: name.to_owned(), resource, kinds });
        self.receivers.insert(name.to_owned(), Receiver::any(&mut self.dice, self.now));
    }

    fn do_deed(&mut self, deed: Deed) {
        self.tell(&deed);
        match deed {
            Deed::Act(action) => self.act(action),
            Deed::Acknowledge => self.acknowledge(),
            Deed::Unregister => {
                let Some((key, crn)) = self.model.registrations.first().cloned() else { return };
                let resource = ResourceCrn::parse(&crn).unwrap();
                settle::drop_events(self.tx, key, Some(&resource)).unwrap();
                registrations::remove(self.tx, key, &resource).unwrap();
                self.model.unregistered(key, &crn);
            }
            Deed::Unsubscribe => {
                let Some(name) = self.model.listeners.first().map(|one| one.name.clone()) else { return };
                use_cases::take_out(self.app, self.tx, &name, self.now).unwrap();
                self.model.unsubscribed(&name, self.now);
            }
            Deed::Subscribe => self.subscribe(&format!("subscriber-{}", self.receivers.len())),
            Deed::SendAgain => {
                let all = self.model.repeatable();
                if all.is_empty() {
                    return;
                }
                let id = *self.dice.pick(&all);
                let wanted = Wanted { id: Some(id), ..Wanted::default() };
                assert_eq!(delivery_log::ask(self.tx, &wanted, self.now).unwrap(), 1);
                self.model.asked(id);
            }
            Deed::Crash => self.crash(),
        }
    }

    /// Does what a use case does within its transaction; what the key's state forbids does not happen.
    fn act(&mut self, action: Action) {
        let id = *self.dice.pick(&self.keys);
        let Some(mut key) = keys::get(self.tx, id).unwrap() else { return };
        let undone = self.dice.chance(50);
        if key.check(action, self.now).is_err() {
            return;
        }
        let sync = action == Action::Sync;
        let kind = if sync { EventKind::of_state(&key.state) } else { EventKind::of_action(action) };
        let cx = self.context(Operation::Rotate);
        let (app, now) = (self.app, self.now);
        let mut change = |tx: &Tx<'_>| {
            if action == Action::Rotate {
                let material = app.vault.generate().unwrap();
                return rotate_key::add_version(app, tx, &cx, key.clone(), &material).unwrap();
            }
            let happening = if sync {
                key.sync(now).unwrap();
                Happening::again(&key)
            } else {
                key.act(action, "simulation", now).unwrap();
                Happening::of_action(action)
            };
            keys::update(tx, &key).unwrap();
            outbox::publish(app, tx, &cx, &key, happening).unwrap();
        };
        if undone {
            // A crash before the commit: nothing of it has happened, and nobody is told.
            self.tx.undone(change);
            return self.crash();
        }
        change(self.tx);
        let wanted = Wanted { key: Some(id.to_string()), since: Some(now.whole_seconds()), ..Wanted::default() };
        let entries = delivery_log::page(self.tx, &wanted, usize::MAX).unwrap();
        if let Some(kind) = kind {
            self.model.told(id, kind, now, &entries);
        }
    }

    fn acknowledge(&mut self) {
        let open = self.model.open_events();
        if open.is_empty() {
            return;
        }
        let (id, kind) = *self.dice.pick(&open);
        let stored = events::find(self.tx, id).unwrap().expect("the event");
        let fits = self.dice.chance(800);
        let state = match (kind, fits) {
            (EventKind::Deletion, true) => *self.dice.pick(&[AdopterState::Disabled, AdopterState::Deleted]),
            (EventKind::Rotation | EventKind::Enable | EventKind::Restoration, true)
            | (EventKind::Disable | EventKind::Deletion, false) => AdopterState::Enabled,
            (EventKind::Disable, true) | (_, false) => AdopterState::Disabled,
        };
        let rewrapped = stored.event.turn.map(|turn| turn.new.id);
        let said = Acknowledgement { event: Some(id), state, at: self.now, rewrapped, resource: None };
        let cx = self.context(Operation::Rotate);
        event_ack::settle(self.app, self.tx, &cx, &stored, &said).unwrap();
        self.model.acknowledged(id, if fits { 200 } else { 409 }, self.now);
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
        let Some((parcel, handed_out_at)) = lane.waiting.pop_front() else { return };
        lane.connections += 1;
        let receiver = self.receivers[name];
        let exchange = receiver.receive(&mut self.dice, self.now);
        let delivery = self.id_of(parcel.claimed.delivery);
        if exchange.arrived {
            self.model.arrived(delivery);
        }
        self.tell(&(name.to_owned(), delivery.seed(), exchange.answer.status, exchange.answer.error, exchange.arrived));
        let made = Made {
            delivery: parcel.claimed.delivery,
            cause: parcel.claimed.cause,
            due_at: parcel.claimed.due_at,
            at: handed_out_at,
            answered_at: self.now.plus(exchange.takes),
            answer: Some(exchange.answer),
            ack: parcel.ack(),
        };
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
        for Flight { delivery, subscriber, made } in finished {
            let answer = made.answer.expect("an answer");
            self.model.recorded(delivery, made.answered_at, &answer, made.ack);
            self.hands.get_mut(&subscriber).expect("hands").count -= 1;
        }
        for (name, last_key) in out.last_keys {
            self.hands.entry(name).or_default().last_key = last_key;
        }
        let mut names = Vec::new();
        for parcel in out.parcels {
            let id = self.id_of(parcel.claimed.delivery);
            self.model.handed_out(id, parcel.claimed.cause, self.now, &parcel.claimed.body);
            let name = parcel.recipient.subscriber.name.clone();
            self.hands.entry(name.clone()).or_default().count += 1;
            self.lanes.entry(name.clone()).or_default().waiting.push_back((parcel, self.now));
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
        self.tell(&"crash");
        self.crashes += 1;
        self.hands.clear();
        self.lanes.clear();
        self.flights.clear();
        self.finished.clear();
        deliveries::unclaim_all(self.tx).unwrap();
        let longest = *self.dice.pick(&[1_000, 1_000, 60_000, 20_000_000]);
        let up_again = self.now.plus(Duration::from_millis(self.dice.below(longest)));
        self.model.crashed(self.now, up_again);
        self.now = up_again;
    }
}
