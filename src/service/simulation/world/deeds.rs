//! What people do in a world.

use crate::app::subscribers::take_out;
use crate::app::{event_ack, outbox, rotate_key, settle};
use crate::domain::acknowledgement::{Acknowledgement, AdopterState};
use crate::domain::event::{EventKind, Happening};
use crate::domain::key::machine::Action;
use crate::domain::operation::Operation;
use crate::domain::registration::ResourceCrn;
use crate::service::simulation::world::{Deed, World};
use crate::store::delivery_log::{self, Wanted};
use crate::store::tx::Tx;
use crate::store::{events, keys, registrations};

impl World<'_> {
    pub(super) fn do_deed(&mut self, deed: Deed) {
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
                take_out(self.app, self.tx, &name, self.now).unwrap();
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
}
