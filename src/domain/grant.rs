//! What policies give: grants by whom they name, and what a caller may do on one instance.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::access::Roles;
use crate::domain::caller::{Caller, IdentityKind};
use crate::domain::crn;
use crate::domain::iam_policy::{Attribute, Conditions, IamPolicy, Operator, PolicyKind, PolicyState};
use crate::domain::id::{IamPolicyId, KeyId, RingId};
use crate::domain::instance::Instance;
use crate::domain::pattern::Pattern;
use crate::domain::role::Role;

/// Attributes that limit a grant within an instance. Source: docs, manage-access.
const WITHIN: [&str; 3] = ["keyRing", "resourceType", "resource"];

/// Roles on part of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) roles: Roles,
    /// `None`: keys of any ring.
    pub(crate) ring: Option<Pattern>,
    /// `None`: any key, those to come too.
    pub(crate) key: Option<Pattern>,
}

impl Limited {
    /// True when keys of that ring are meant, those to come too.
    pub(crate) fn covers_ring(&self, ring: &RingId) -> bool {
        self.key.is_none() && self.ring_fits(ring)
    }

    /// True when the key is meant.
    pub(crate) fn covers_key(&self, ring: &RingId, key: KeyId) -> bool {
        self.ring_fits(ring) && self.key.as_ref().is_none_or(|wanted| wanted.fits(&key.to_string()))
    }

    /// True when a key that is not there, and so in no ring, would be meant by its id.
    pub(crate) fn covers_missing(&self, key: KeyId) -> bool {
        self.ring.is_none() && self.key.as_ref().is_none_or(|wanted| wanted.fits(&key.to_string()))
    }

    fn ring_fits(&self, ring: &RingId) -> bool {
        self.ring.as_ref().is_none_or(|wanted| wanted.fits(ring.as_str()))
    }
}

/// What a caller may do on one instance: the union of all that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Roles on the whole instance.
    pub(crate) whole: Roles,
    /// Roles on parts of it.
    pub(crate) limited: Vec<Arc<Limited>>,
}

impl Rights {
    /// Roles on the whole instance and no others.
    pub(crate) fn whole(roles: Roles) -> Self {
        Self { whole: roles, limited: Vec::new() }
    }
}

/// What a policy gives, once it is known to name the caller.
#[derive(Debug)]
struct Grant {
    policy: IamPolicyId,
    kind: PolicyKind,
    subject: Conditions,
    /// Conditions on the instance; those within it are in `limited`.
    resource: Vec<Attribute>,
    roles: Roles,
    limited: Option<Arc<Limited>>,
}

/// All grants of the account, by whom they name. Never changed: another snapshot takes its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    /// By `iam_id`, or by the name of a service.
    named: HashMap<String, Vec<Arc<Grant>>>,
    /// Grants that name nobody outright.
    others: Vec<Arc<Grant>>,
}

impl Grants {
    /// What policies give.
    pub(crate) fn of(policies: &[IamPolicy]) -> Self {
        let mut grants = Self::default();
        for policy in policies {
            grants.add(policy);
        }
        grants
    }

    /// Takes a policy as it is now in place of what it was. One that is not active gives nothing.
    pub(crate) fn put(&mut self, policy: &IamPolicy) {
        self.named.retain(|_, grants| {
            grants.retain(|grant| grant.policy != policy.id);
            !grants.is_empty()
        });
        self.others.retain(|grant| grant.policy != policy.id);
        self.add(policy);
    }

    fn add(&mut self, policy: &IamPolicy) {
        let active = Some(policy).filter(|policy| policy.state == PolicyState::Active);
        let Some(grant) = active.and_then(grant).map(Arc::new) else { return };
        let key = match grant.kind {
            PolicyKind::Access => "iam_id",
            PolicyKind::Authorization => "serviceName",
        };
        match grant.subject.get(key).filter(|named| named.operator() == Operator::Equals) {
            Some(named) => self.named.entry(named.value.clone()).or_default().push(grant),
            None => self.others.push(grant),
        }
    }

    /// True when a policy gives something to that very `iam_id`.
    pub(crate) fn names(&self, iam_id: &str) -> bool {
        self.named.get(iam_id).is_some_and(|grants| grants.iter().any(|grant| grant.kind == PolicyKind::Access))
    }

    /// What a caller may do on an instance: its standing roles and what policies add. `group` is the resource group of
    /// the caller, where it is a known service instance.
    pub(crate) fn rights(&self, caller: &Caller, group: Option<&str>, instance: &Instance) -> Rights {
        let mut rights = Rights::whole(caller.standing);
        let fact = |name: &str| instance_fact(instance, name);
        for grant in self.naming(caller, group) {
            if !grant.resource.iter().all(|condition| condition.fits(fact(&condition.name).as_deref())) {
                continue;
            }
            match &grant.limited {
                None => rights.whole = rights.whole.or(grant.roles),
                Some(limited) => rights.limited.push(Arc::clone(limited)),
            }
        }
        rights
    }

    /// Roles that a caller has on all that the account holds, whatever the service.
    pub(crate) fn everywhere(&self, caller: &Caller) -> Roles {
        let fact = |name: &str| match name {
            "accountId" => Some(caller.account.as_str()),
            "serviceType" => Some("service"),
            _ => None,
        };
        self.naming(caller, None)
            .filter(|grant| grant.limited.is_none())
            .filter(|grant| grant.resource.iter().all(|condition| condition.fits(fact(&condition.name))))
            .fold(caller.standing, |roles, grant| roles.or(grant.roles))
    }

    fn naming<'a>(&'a self, caller: &'a Caller, group: Option<&'a str>) -> impl Iterator<Item = &'a Arc<Grant>> {
        let service = caller.identity.kind == IdentityKind::Service;
        let named = if service { crn::parse(&caller.identity.subject) } else { None };
        let key = named.as_ref().map_or(caller.iam_id(), |named| named.service);
        let fact = move |name: &str| match &named {
            None => (name == "iam_id").then(|| caller.iam_id()),
            Some(named) if name == "resourceGroupId" => group.filter(|_| !named.instance.is_empty()),
            Some(named) => named.fact(name),
        };
        let kind = if service { PolicyKind::Authorization } else { PolicyKind::Access };
        let all = self.named.get(key).into_iter().flatten().chain(&self.others);
        all.filter(move |grant| {
            grant.kind == kind && grant.subject.attributes.iter().all(|condition| condition.fits(fact(&condition.name)))
        })
    }
}

/// `None` when it can give nothing: tags, which nothing carries here, or roles of other services alone.
fn grant(policy: &IamPolicy) -> Option<Grant> {
    let draft = &policy.draft;
    let known = draft.roles.iter().filter_map(|crn| Role::find(crn));
    let roles = known.fold(Roles::NONE, |roles, role| roles.or(role.roles));
    // A service has no platform role. Source: `docs/contract/iam.md` 1.3.
    let roles = if draft.kind == PolicyKind::Authorization { roles.of_service() } else { roles };
    if !draft.resource.tags.is_empty() || roles == Roles::NONE {
        return None;
    }
    let (within, resource): (Vec<Attribute>, Vec<Attribute>) =
        draft.resource.attributes.iter().cloned().partition(|attribute| WITHIN.contains(&attribute.name.as_str()));
    let limited = if within.is_empty() { None } else { Some(Arc::new(limits(&within, roles)?)) };
    Some(Grant { policy: policy.id, kind: draft.kind, subject: draft.subject.clone(), resource, roles, limited })
}

/// `None` when no key can fit.
fn limits(within: &[Attribute], roles: Roles) -> Option<Limited> {
    let mut limited = Limited { roles, ring: None, key: None };
    for attribute in within {
        let pattern = match attribute.operator() {
            Operator::Equals => Some(Pattern::Exact(attribute.value.clone())),
            Operator::Match => Some(Pattern::Wild(attribute.value.clone())),
            Operator::Exists if attribute.value == "true" => None,
            Operator::Exists => return None,
        };
        match attribute.name.as_str() {
            "keyRing" => limited.ring = pattern,
            "resource" => limited.key = pattern.map(lower_case),
            _ if pattern.is_none_or(|kind| kind.fits("key")) => {}
            _ => return None,
        }
    }
    Some(limited)
}

/// Ids of keys are in lower case, whatever a policy writes.
fn lower_case(pattern: Pattern) -> Pattern {
    match pattern {
        Pattern::Exact(text) => Pattern::Exact(text.to_ascii_lowercase()),
        Pattern::Wild(text) => Pattern::Wild(text.to_ascii_lowercase()),
    }
}

fn instance_fact<'i>(instance: &'i Instance, name: &str) -> Option<Cow<'i, str>> {
    let text = match name {
        "accountId" => &instance.account,
        "serviceName" => instance.service.name(),
        "serviceInstance" => return Some(instance.id.to_string().into()),
        "serviceType" => "service",
        "region" => &instance.region,
        "resourceGroupId" => &instance.resource_group,
        _ => return None,
    };
    Some(text.into())
}
