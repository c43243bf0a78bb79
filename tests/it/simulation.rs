//! Random walks through the API beside a small model of what must happen: every status, and the whole visible state now
//! and then. Source: `docs/contract/keys.md` 5, 8 to 12, 15.
//!
//! A failing walk prints its seed; `MKP_SIM_SEED=<seed>` walks it again, `MKP_SIM_STEPS` sets its length.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::dice::{Dice, number, variable};
use crate::harness::keys::id_of;

const STEPS: u64 = 300;
const SEEDS: [u64; 4] = [1, 2, 3, 4];
/// Names that aliases are made of: few, so that they clash.
const ALIASES: [&str; 5] = ["ash", "beech", "cedar", "dogwood", "elm"];
/// Spans just before, at and after the rules' bounds, and some between.
const SPANS: [u64; 14] =
    [1, 29, 30, 31, 600, 3_599, 3_600, 14_399, 14_400, 86_400, 30 * DAY, 30 * DAY + 1, 60 * DAY, 90 * DAY];
const DAY: u64 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Active,
    Suspended,
    Destroyed { at: u64 },
    Gone,
}

/// A key as the model sees it. Instants are seconds since the walk's begin.
struct Model {
    id: String,
    state: State,
    expires_at: Option<u64>,
    changed_at: u64,
    rotated_at: Option<u64>,
    notified_at: Option<u64>,
    versions: Vec<String>,
    aliases: BTreeSet<String>,
    /// Ciphertext, plaintext, version.
    sealed: Vec<(String, String, String)>,
}

/// What a call must answer: a status, and a reason's code where it refuses.
type Expected = (u16, &'static str);

const INVALID: Expected = (409, "KEY_ACTION_INVALID_STATE_ERR");
const DELETED: Expected = (410, "KEY_DELETED_ERR");
const NOT_FOUND: Expected = (404, "KEY_NOT_FOUND_ERR");
const EARLY: Expected = (409, "REQ_TOO_EARLY_ERR");

impl Model {
    /// Where the key stands at an instant: time alone deactivates and purges.
    fn at(&self, now: u64) -> u8 {
        match self.state {
            State::Gone => 6,
            State::Destroyed { at } if now >= at + 90 * DAY => 6,
            State::Destroyed { .. } => 5,
            State::Active | State::Suspended if self.expires_at.is_some_and(|at| at <= now) => 3,
            State::Suspended => 2,
            State::Active => 1,
        }
    }

    /// What an action must answer.
    fn expects(&self, action: Action, now: u64) -> Expected {
        let state = self.at(now);
        if state == 6 {
            return NOT_FOUND;
        }
        let by_state: [Expected; 4] = match action {
            Action::Read => [(200, ""); 4],
            Action::Versions => [(200, ""), INVALID, INVALID, INVALID],
            Action::Wrap => [(200, ""), INVALID, INVALID, DELETED],
            Action::Unwrap | Action::Rewrap => [(200, ""), INVALID, (200, ""), DELETED],
            Action::Rotate => [(204, ""), INVALID, (204, ""), DELETED],
            Action::Disable => [(204, ""), INVALID, INVALID, DELETED],
            Action::Enable => [INVALID, (204, ""), INVALID, DELETED],
            Action::Sync => [(204, ""); 4],
            Action::AddAlias => [(201, ""), (201, ""), (201, ""), DELETED],
            Action::Delete => [(204, ""), (204, ""), (204, ""), DELETED],
            Action::Restore => [INVALID, INVALID, INVALID, (201, "")],
            Action::Purge => [INVALID, INVALID, INVALID, (204, "")],
        };
        let expected = by_state[usize::from(if state == 5 { 3 } else { state - 1 })];
        if expected.0 < 300 { self.by_time(action, now).unwrap_or(expected) } else { expected }
    }

    /// A refusal by time, where the state would let the action through.
    fn by_time(&self, action: Action, now: u64) -> Option<Expected> {
        let deleted_at = if let State::Destroyed { at } = self.state { at } else { 0 };
        let early = |refused: bool, expected| refused.then_some(expected);
        match action {
            Action::Rotate => {
                let rotated = self.rotated_at.is_some_and(|at| now < at + 3_600);
                early(rotated, (409, "KEY_ROTATION_NOT_PERMITTED"))
            }
            Action::Enable => early(now < self.changed_at + 30, EARLY),
            Action::Sync => early(self.notified_at.is_some_and(|at| now < at + 3_600), EARLY),
            Action::Purge => early(now < deleted_at + 4 * 3_600, EARLY),
            Action::Restore => {
                let expired = self.expires_at.is_some_and(|at| at <= now);
                early(now < deleted_at + 30, EARLY)
                    .or(early(now > deleted_at + 30 * DAY, (400, "KEY_RESTORE_EXPIRED")))
                    .or(early(expired, (400, "KEY_EXPIRED_ERR")))
            }
            Action::Read
            | Action::Versions
            | Action::Wrap
            | Action::Unwrap
            | Action::Rewrap
            | Action::Disable
            | Action::AddAlias
            | Action::Delete => None,
        }
    }

    /// Takes note of an action that has succeeded.
    fn did(&mut self, action: Action, now: u64) {
        match action {
            Action::Read | Action::Versions | Action::Wrap | Action::Unwrap | Action::Rewrap => return,
            Action::Rotate => self.rotated_at = Some(now),
            Action::Disable => self.state = State::Suspended,
            Action::Enable | Action::Restore => self.state = State::Active,
            Action::Delete => self.state = State::Destroyed { at: now },
            Action::Purge => self.state = State::Gone,
            Action::Sync | Action::AddAlias => {}
        }
        if !matches!(action, Action::Sync) {
            self.changed_at = now;
        }
        if !matches!(action, Action::AddAlias | Action::Purge) {
            self.notified_at = Some(now);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    Read,
    Versions,
    Wrap,
    Unwrap,
    Rewrap,
    Rotate,
    Disable,
    Enable,
    Sync,
    AddAlias,
    Delete,
    Restore,
    Purge,
}

const ACTIONS: [Action; 15] = [
    Action::Read,
    Action::Versions,
    Action::Wrap,
    Action::Wrap,
    Action::Unwrap,
    Action::Unwrap,
    Action::Rewrap,
    Action::Rotate,
    Action::Disable,
    Action::Enable,
    Action::Sync,
    Action::AddAlias,
    Action::Delete,
    Action::Restore,
    Action::Purge,
];

struct Walk {
    kp: Harness,
    dice: Dice,
    now: u64,
    keys: Vec<Model>,
    /// What was done, for a failure's story.
    steps: Vec<String>,
}

#[actix_web::test]
async fn random_walks_end_where_the_model_ends() {
    let steps = number("MKP_SIM_STEPS", STEPS);
    let seeds = variable("MKP_SIM_SEED").map_or(SEEDS.to_vec(), |seed| vec![seed.parse().expect("a number")]);
    for seed in seeds {
        println!("MKP_SIM_SEED={seed}");
        let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
        let mut walk = Walk { kp, dice: Dice::new(seed), now: 0, keys: Vec::new(), steps: Vec::new() };
        for step in 0..steps {
            walk.step().await;
            if step % 20 == 19 {
                walk.compare().await;
            }
        }
        walk.compare().await;
    }
}

impl Walk {
    async fn step(&mut self) {
        match self.dice.below(10) {
            0 => self.create().await,
            1 | 2 => self.advance().await,
            _ if self.keys.is_empty() => self.create().await,
            _ => self.act().await,
        }
    }

    async fn create(&mut self) {
        let lives = [None, None, None, Some(DAY), Some(40 * DAY)];
        let life = *self.dice.one_of(&lives);
        let mut resource = json!({ "name": "walk", "extractable": false });
        if let Some(life) = life {
            let expires = date(self.now + life);
            resource["expirationDate"] = json!(expires);
        }
        self.steps.push(format!("{}: create, life {life:?}", self.now));
        let created = self.kp.try_create(&resource).await.succeeds(201);
        let id = id_of(&created);
        self.keys.push(Model {
            versions: vec![id.clone()],
            id,
            state: State::Active,
            expires_at: life.map(|life| self.now + life),
            changed_at: self.now,
            rotated_at: None,
            notified_at: None,
            aliases: BTreeSet::new(),
            sealed: Vec::new(),
        });
    }

    async fn advance(&mut self) {
        let span = *self.dice.one_of(&SPANS);
        self.steps.push(format!("{}: advance {span} s", self.now));
        self.kp.advance(&format!("{span}s")).await;
        for key in &mut self.keys {
            let before = key.at(self.now);
            let after = key.at(self.now + span);
            // Expiry changes a key: nothing can be enabled for half a minute, but a deactivated key cannot be anyway.
            if before != after && after == 6 {
                key.state = State::Gone;
            }
        }
        self.now += span;
    }

    async fn act(&mut self) {
        let action = *self.dice.one_of(&ACTIONS);
        let place = usize::try_from(self.dice.below(self.keys.len() as u64)).unwrap();
        let alias = (*self.dice.one_of(&ALIASES)).to_owned();
        let taken = self.keys.iter().any(|key| key.at(self.now) != 6 && key.aliases.contains(&alias));
        let model = &self.keys[place];
        let mut expected = model.expects(action, self.now);
        if action == Action::AddAlias && expected.0 == 201 && taken {
            expected = (409, "KEY_ALIAS_NOT_UNIQUE_ERR");
        }
        if matches!(action, Action::Unwrap | Action::Rewrap) && model.sealed.is_empty() {
            return;
        }
        self.steps.push(format!("{}: {action:?} on {place}, state {}, {expected:?}", self.now, model.at(self.now)));
        let sealed = (!model.sealed.is_empty()).then(|| self.dice.one_of(&model.sealed).clone());
        let body = self.call(place, action, &alias, sealed.as_ref(), expected).await;
        if expected.0 < 300 {
            self.took_place(place, action, &alias, sealed, &body);
        }
        if action == Action::Rotate && expected.0 < 300 {
            self.compare_key(place).await;
        }
    }

    async fn call(
        &self,
        place: usize,
        action: Action,
        alias: &str,
        sealed: Option<&(String, String, String)>,
        expected: Expected,
    ) -> Value {
        let model = &self.keys[place];
        let path = format!("/api/v2/keys/{}", self.named(model));
        let post = |action: &str| self.kp.post(&format!("{path}/actions/{action}"));
        let ciphertext = sealed.map(|(ciphertext, ..)| json!({ "ciphertext": ciphertext })).unwrap_or_default();
        let call = match action {
            Action::Read => self.kp.get(&path),
            Action::Versions => self.kp.get(&format!("{path}/versions")),
            Action::Wrap => post("wrap").json(&json!({})),
            Action::Unwrap => post("unwrap").json(&ciphertext),
            Action::Rewrap => post("rewrap").json(&ciphertext),
            Action::Rotate => post("rotate"),
            Action::Disable => post("disable"),
            Action::Enable => post("enable"),
            Action::Sync => post("sync"),
            Action::AddAlias => self.kp.post(&format!("{path}/aliases/{alias}")),
            Action::Delete => self.kp.delete(&path),
            Action::Restore => self.kp.post(&format!("{path}/restore")),
            Action::Purge => self.kp.delete(&format!("{path}/purge")),
        };
        let reply = call.send().await;
        let code = reply.json()["resources"][0]["reasons"][0]["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, code.as_str()), expected, "{}", self.story());
        reply.json()
    }

    /// The key's id, or one of its aliases when it has some.
    fn named<'m>(&self, model: &'m Model) -> &'m str {
        if self.steps.len().is_multiple_of(3) && model.at(self.now) != 6 {
            return model.aliases.first().unwrap_or(&model.id);
        }
        &model.id
    }

    fn took_place(
        &mut self,
        place: usize,
        action: Action,
        alias: &str,
        sealed: Option<(String, String, String)>,
        body: &Value,
    ) {
        let story = self.story();
        let (now, model) = (self.now, &mut self.keys[place]);
        let newest = model.versions[0].clone();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match action {
            Action::Wrap => {
                assert_eq!(body["keyVersion"]["id"], newest.as_str(), "{story}");
                model.sealed.push((text("ciphertext"), text("plaintext"), newest));
            }
            Action::Unwrap | Action::Rewrap => {
                let (_, plaintext, version) = sealed.expect("a ciphertext");
                assert_eq!(body["keyVersion"]["id"], version.as_str(), "{story}");
                if action == Action::Unwrap {
                    assert_eq!(text("plaintext"), plaintext, "{story}");
                    assert_eq!(body.get("ciphertext").is_some(), version != newest, "{story}");
                }
                if let Some(fresh) = body["ciphertext"].as_str() {
                    assert_eq!(body["rewrappedKeyVersion"]["id"], newest.as_str(), "{story}");
                    model.sealed.push((fresh.to_owned(), plaintext, newest));
                }
            }
            Action::AddAlias => drop(model.aliases.insert(alias.to_owned())),
            Action::Versions => {
                let ids: Vec<_> =
                    body["resources"].as_array().unwrap().iter().map(|version| version["id"].clone()).collect();
                assert_eq!(ids, model.versions, "{story}");
            }
            // Only the service knows the new version's id; the comparison that follows learns it.
            Action::Rotate => model.versions.insert(0, String::new()),
            Action::Read
            | Action::Disable
            | Action::Enable
            | Action::Sync
            | Action::Delete
            | Action::Restore
            | Action::Purge => {}
        }
        model.did(action, now);
    }

    /// The whole visible state is the model's.
    async fn compare(&mut self) {
        for place in 0..self.keys.len() {
            self.compare_key(place).await;
        }
        let listed = self.kp.get("/api/v2/keys?limit=5000").send().await.succeeds(200);
        let listed: BTreeSet<String> = listed["resources"].as_array().into_iter().flatten().map(id_in).collect();
        let expected = self.keys.iter().filter(|key| key.at(self.now) < 5).map(|key| key.id.clone()).collect();
        assert_eq!(listed, expected, "{}", self.story());
    }

    async fn compare_key(&mut self, place: usize) {
        let story = self.story();
        let (now, model) = (self.now, &mut self.keys[place]);
        let reply = self.kp.get(&format!("/api/v2/keys/{}/metadata", model.id)).send().await;
        if model.at(now) == 6 {
            reply.refused(404, "KEY_NOT_FOUND_ERR");
            return;
        }
        let key = reply.succeeds(200)["resources"][0].clone();
        assert_eq!(key["state"], model.at(now), "key {place}\n{story}");
        let path = format!("/api/v2/keys/{}/versions?allKeyStates=true&limit=5000", model.id);
        let versions = self.kp.get(&path).send().await.succeeds(200);
        let versions: Vec<String> = versions["resources"].as_array().unwrap().iter().map(id_in).collect();
        assert_eq!(versions.len(), model.versions.len(), "key {place}\n{story}");
        for (known, shown) in model.versions.iter_mut().zip(&versions) {
            assert!(known.is_empty() || known == shown, "key {place}: {known} became {shown}\n{story}");
            known.clone_from(shown);
        }
        assert_eq!(key["keyVersion"]["id"], versions[0].as_str(), "key {place}\n{story}");
        let aliases: BTreeSet<String> =
            key["aliases"].as_array().into_iter().flatten().map(|alias| alias.as_str().unwrap().to_owned()).collect();
        assert_eq!(aliases, model.aliases, "key {place}\n{story}");
        assert_eq!(key.get("lastRotateDate").is_some(), model.rotated_at.is_some(), "key {place}\n{story}");
    }

    fn story(&self) -> String {
        let last = self.steps.len().saturating_sub(25);
        format!("the last steps:\n{}", self.steps[last..].join("\n"))
    }
}

fn id_in(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

/// RFC 3339, so many seconds after the walk's begin.
fn date(seconds: u64) -> String {
    let begin = chrono::DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").expect("a date");
    let date = begin + chrono::Duration::seconds(i64::try_from(seconds).expect("a span"));
    date.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
