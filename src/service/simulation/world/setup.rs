//! How a world begins: keys, registrations, subscribers and what is planned.

use std::time::Duration;

use crate::app::subscribers::seal;
use crate::crypto::webhook_signature::WebhookSecret;
use crate::domain::crn::CrnQuery;
use crate::domain::event::EventKind;
use crate::domain::id::RingId;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Kind, State, Version};
use crate::domain::registration::{Registration, ResourceCrn};
use crate::domain::subscriber::{Ack, Scope, Subscriber};
use crate::service::simulation::conduct::Receiver;
use crate::service::simulation::model::Listener;
use crate::service::simulation::world::{Deed, World};
use crate::store::{key_versions, keys, registrations, subscribers};

const SERVICE: &str = "cloud-object-storage";

impl World<'_> {
    pub(super) fn set_up(&mut self) {
        for number in 0..=self.dice.below(3) {
            self.subscribe(&format!("subscriber-{number}"));
        }
        for number in 0..=self.dice.below(2) {
            let key = self.make_key();
            // Now and then more than a receiver can be told at once.
            let buckets = if self.dice.chance(50) { 12 } else { 1 + self.dice.below(3) };
            for bucket in 0..buckets {
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

    pub(super) fn subscribe(&mut self, name: &str) {
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
        let sealed = seal(self.app, name, &secret).unwrap();
        subscribers::insert(self.tx, &subscriber, &sealed).unwrap();
        self.model.listeners.push(Listener { name: name.to_owned(), resource, kinds });
        self.receivers.insert(name.to_owned(), Receiver::any(&mut self.dice, self.now));
    }
}
