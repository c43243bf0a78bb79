//! Policies of a whole instance: what they say, what a change makes of them, what they forbid. Source: API reference;
//! `docs/contract/policies.md` 3.

pub(crate) mod key_access;
pub(crate) mod network;

use ipnet::IpNet;

use crate::domain::caller::{Caller, IdentityKind};
use crate::domain::instance_policy::key_access::{KeyAccess, Making};
use crate::domain::instance_policy::network::{Endpoint, Network, Route};
use crate::domain::key::Kind;
use crate::domain::key::draft::{DualAuthOverride, Overrides, RotationOverride};
use crate::domain::operation::Operation;
use crate::domain::policy::IntervalMonths;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// Address ranges that a policy may list. Source: docs, settings-allowed-ip.
pub(crate) const RANGES_MAX: usize = 1_000;

/// Kinds of instance policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PolicyKind {
    /// Which endpoint requests may come to.
    AllowedNetwork,
    /// Whether deleting a new key takes two people.
    DualAuthDelete,
    /// Addresses that requests may come from.
    AllowedIp,
    /// Which keys may be made and imported.
    KeyCreateImportAccess,
    /// Whether the service reports figures of its use; nothing more is seen of it here.
    Metrics,
    /// How often new root keys rotate.
    Rotation,
}

impl PolicyKind {
    /// All of them, in the order in which they are listed.
    pub(crate) const ALL: [Self; 6] = [
        Self::AllowedNetwork,
        Self::DualAuthDelete,
        Self::AllowedIp,
        Self::KeyCreateImportAccess,
        Self::Metrics,
        Self::Rotation,
    ];
    /// What a kind must be, for messages.
    pub(crate) const RULE: &str =
        "allowedNetwork, dualAuthDelete, allowedIP, keyCreateImportAccess, metrics or rotation";

    /// The word of `policy_type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AllowedNetwork => "allowedNetwork",
            Self::DualAuthDelete => "dualAuthDelete",
            Self::AllowedIp => "allowedIP",
            Self::KeyCreateImportAccess => "keyCreateImportAccess",
            Self::Metrics => "metrics",
            Self::Rotation => "rotation",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a policy says besides being enabled or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    AllowedNetwork(Network),
    DualAuthDelete,
    /// Empty while the policy is disabled.
    AllowedIp(Vec<IpNet>),
    KeyCreateImportAccess(KeyAccess),
    Metrics,
    /// `None` while the policy is disabled.
    Rotation(Option<IntervalMonths>),
}

impl Terms {
    /// What a policy says that was disabled without ever having said anything.
    pub(crate) fn blank(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::AllowedNetwork => Self::AllowedNetwork(Network::PublicAndPrivate),
            PolicyKind::DualAuthDelete => Self::DualAuthDelete,
            PolicyKind::AllowedIp => Self::AllowedIp(Vec::new()),
            PolicyKind::KeyCreateImportAccess => Self::KeyCreateImportAccess(KeyAccess::DEFAULT),
            PolicyKind::Metrics => Self::Metrics,
            PolicyKind::Rotation => Self::Rotation(None),
        }
    }

    /// The kind of policy that says this.
    pub(crate) fn kind(&self) -> PolicyKind {
        match self {
            Self::AllowedNetwork(_) => PolicyKind::AllowedNetwork,
            Self::DualAuthDelete => PolicyKind::DualAuthDelete,
            Self::AllowedIp(_) => PolicyKind::AllowedIp,
            Self::KeyCreateImportAccess(_) => PolicyKind::KeyCreateImportAccess,
            Self::Metrics => PolicyKind::Metrics,
            Self::Rotation(_) => PolicyKind::Rotation,
        }
    }
}

/// A policy of an instance. Once set it stays, enabled or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstancePolicy {
    pub(crate) enabled: bool,
    pub(crate) terms: Terms,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
}

/// What a caller wants of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstancePolicyChange {
    pub(crate) kind: PolicyKind,
    pub(crate) enabled: bool,
    /// `None`: what the policy has said so far.
    pub(crate) terms: Option<Terms>,
}

impl InstancePolicyChange {
    /// The policy as it is from now on.
    ///
    /// Source: docs, CLI: a disabled `allowedNetwork` keeps its value.
    pub(crate) fn settle(self, present: Option<&InstancePolicy>, by: &str, now: Timestamp) -> InstancePolicy {
        let at = now.whole_seconds();
        let so_far = || present.map_or_else(|| Terms::blank(self.kind), |policy| policy.terms.clone());
        InstancePolicy {
            enabled: self.enabled,
            terms: self.terms.unwrap_or_else(so_far),
            created_at: present.map_or(at, |policy| policy.created_at),
            created_by: present.map_or_else(|| by.to_owned(), |policy| policy.created_by.clone()),
            updated_at: at,
            updated_by: by.to_owned(),
        }
    }
}

/// All policies of an instance, one of a kind at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InstancePolicies(Vec<InstancePolicy>);

impl InstancePolicies {
    /// The policy of a kind, if it was ever set.
    pub(crate) fn get(&self, kind: PolicyKind) -> Option<&InstancePolicy> {
        self.0.iter().find(|policy| policy.terms.kind() == kind)
    }

    /// All that were ever set, in the order in which they are listed.
    pub(crate) fn all(&self) -> impl Iterator<Item = &InstancePolicy> {
        PolicyKind::ALL.into_iter().filter_map(|kind| self.get(kind))
    }

    /// Sets a policy in the place of the one of its kind.
    pub(crate) fn set(&mut self, policy: InstancePolicy) {
        self.0.retain(|known| known.terms.kind() != policy.terms.kind());
        self.0.push(policy);
    }

    fn in_force(&self, kind: PolicyKind) -> Option<&Terms> {
        self.get(kind).filter(|policy| policy.enabled).map(|policy| &policy.terms)
    }

    /// Policies that a key is born with that brings none of its own; a schedule rotates generated root keys alone (ASSUMED
    /// for imported ones).
    ///
    /// Source: Node client; Go integration tests.
    pub(crate) fn for_new_key(&self, kind: Kind, making: Making) -> Overrides {
        let rotatable = kind == Kind::Root && making == Making::Generated;
        let interval = match self.in_force(PolicyKind::Rotation).filter(|_| rotatable) {
            Some(Terms::Rotation(interval)) => *interval,
            _ => None,
        };
        let dual_auth = self.in_force(PolicyKind::DualAuthDelete).map(|_| DualAuthOverride { enabled: true });
        Overrides { rotation: interval.map(|interval| RotationOverride { enabled: true, interval }), dual_auth }
    }

    /// Decides whether a key may be made.
    ///
    /// # Errors
    /// `KeyCreateImportAccess`.
    pub(crate) fn allow_new_key(&self, kind: Kind, making: Making) -> Result<(), Reason> {
        self.key_access().map_or(Ok(()), |access| access.allow_new_key(kind, making))
    }

    /// Decides whether an imported key may get or keep material that came like this, at rotation and restoration.
    ///
    /// # Errors
    /// `KeyCreateImportAccess`.
    pub(crate) fn allow_material(&self, making: Making) -> Result<(), Reason> {
        self.key_access().map_or(Ok(()), |access| access.allow_material(making))
    }

    fn key_access(&self) -> Option<KeyAccess> {
        let terms = self.in_force(PolicyKind::KeyCreateImportAccess)?;
        if let Terms::KeyCreateImportAccess(access) = terms { Some(*access) } else { None }
    }

    /// True when no policy was ever set.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Decides whether a request may come the way it came. Services are let through; so is whoever asks for the port
    /// of the list of addresses, as far as that list goes.
    ///
    /// # Errors
    /// `Unauthorized`; `FeatureRestricted` for IPv6 at the private endpoint.
    ///
    /// Source: docs, error-messages 31 and 35, settings-network-policy, settings-allowed-ip.
    pub(crate) fn allow_request(&self, caller: &Caller, operation: Operation, route: Route) -> Result<(), Reason> {
        if self.is_empty() || caller.identity.kind == IdentityKind::Service {
            return Ok(());
        }
        let private_only = Terms::AllowedNetwork(Network::PrivateOnly);
        if route.endpoint == Endpoint::Public && self.in_force(PolicyKind::AllowedNetwork) == Some(&private_only) {
            return Err(Reason::Unauthorized);
        }
        match self.in_force(PolicyKind::AllowedIp) {
            Some(Terms::AllowedIp(ranges)) if operation != Operation::GetAllowedIpPort => route.is_within(ranges),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
