//! Access policies and authorizations of IAM, whichever version of its API they came by.

use crate::domain::id::IamPolicyId;
use crate::domain::pattern::Pattern;
use crate::domain::time::Timestamp;

/// Policies that an account may have. Source: docs, known issues and limits of IAM.
pub(crate) const PER_ACCOUNT_MAX: i64 = 4_020;
/// Deleted policies that are remembered, and can be brought back (ASSUMED).
pub(crate) const DELETED_MAX: i64 = 1_000;

/// What stands between the parts of a normal form: control characters, which no part holds.
const PART: &str = "\u{1d}";
const ITEM: &str = "\u{1e}";
const LIST: &str = "\u{1f}";

/// Whom a policy gives something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    /// A person, service id, trusted profile or access group.
    Access,
    /// Instances of another service.
    Authorization,
}

impl PolicyKind {
    /// The word on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Authorization => "authorization",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Access, Self::Authorization].into_iter().find(|kind| kind.name() == name)
    }
}

/// Whether a policy is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyState {
    Active,
    /// Gives nothing; can be brought back.
    Deleted,
}

impl PolicyState {
    /// The word on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Deleted].into_iter().find(|state| state.name() == name)
    }
}

/// How an attribute's value is compared. Source: API reference of IAM policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equals,
    Match,
    Exists,
}

impl Operator {
    /// The word on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Equals => "stringEquals",
            Self::Match => "stringMatch",
            Self::Exists => "stringExists",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Equals, Self::Match, Self::Exists].into_iter().find(|operator| operator.name() == name)
    }
}

/// One condition on a subject or a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    /// `None` where the maker left it out, which means [`Operator::Equals`].
    pub(crate) operator: Option<Operator>,
    /// `true` or `false` for [`Operator::Exists`].
    pub(crate) value: String,
}

impl Attribute {
    /// What the attribute compares by.
    pub(crate) fn operator(&self) -> Operator {
        self.operator.unwrap_or(Operator::Equals)
    }

    /// True when what is known fits the condition; something unknown fits `stringExists` of false alone.
    pub(crate) fn fits(&self, fact: Option<&str>) -> bool {
        match self.operator() {
            Operator::Equals => fact == Some(self.value.as_str()),
            Operator::Match => fact.is_some_and(|fact| Pattern::Wild(self.value.clone()).fits(fact)),
            Operator::Exists => fact.is_some() == (self.value == "true"),
        }
    }

    fn normal(&self) -> String {
        [&self.name, self.operator().name(), &self.value].join(PART)
    }
}

/// A subject or a resource: all its attributes have to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) attributes: Vec<Attribute>,
    /// Access tags, on resources only. Nothing here carries any, so a policy with tags gives nothing.
    pub(crate) tags: Vec<Attribute>,
}

impl Conditions {
    /// An attribute by its name.
    pub(crate) fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    fn normal(&self) -> String {
        let sorted = |attributes: &[Attribute]| {
            let mut all: Vec<String> = attributes.iter().map(Attribute::normal).collect();
            all.sort_unstable();
            all.join(ITEM)
        };
        [sorted(&self.attributes), sorted(&self.tags)].join(LIST)
    }
}

/// What its maker decides of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyDraft {
    pub(crate) kind: PolicyKind,
    pub(crate) description: Option<String>,
    pub(crate) subject: Conditions,
    pub(crate) resource: Conditions,
    /// CRNs.
    pub(crate) roles: Vec<String>,
}

impl PolicyDraft {
    /// A text that two policies share when they give the same roles to the same subject on the same resource.
    pub(crate) fn normal(&self) -> String {
        let mut roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        roles.sort_unstable();
        let kind = self.kind.name().to_owned();
        [kind, self.subject.normal(), self.resource.normal(), roles.join(ITEM)].join(LIST)
    }
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IamPolicy {
    pub(crate) id: IamPolicyId,
    pub(crate) draft: PolicyDraft,
    pub(crate) state: PolicyState,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
    /// Counts the changes, from 1 on.
    pub(crate) revision: i64,
}

impl IamPolicy {
    /// Changes the policy.
    pub(crate) fn change(&mut self, draft: PolicyDraft, state: PolicyState, by: &str, now: Timestamp) {
        self.draft = draft;
        self.state = state;
        by.clone_into(&mut self.updated_by);
        self.updated_at = now;
        self.revision += 1;
    }

    /// The `ETag` header's text: another one after each change. Form as in the Node integration tests: `"<n>-<32 hex>"`.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}-{}\"", self.revision, self.id.to_string().replace('-', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, operator: Option<Operator>, value: &str) -> Attribute {
        Attribute { name: name.to_owned(), operator, value: value.to_owned() }
    }

    fn draft(subject: Vec<Attribute>, roles: &[&str]) -> PolicyDraft {
        PolicyDraft {
            kind: PolicyKind::Authorization,
            description: None,
            subject: Conditions { attributes: subject, tags: Vec::new() },
            resource: Conditions::default(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        }
    }

    #[test]
    fn order_and_spelt_out_defaults_make_no_other_policy() {
        let one = draft(vec![attribute("a", None, "1"), attribute("b", None, "2")], &["R", "W"]);
        let same = draft(vec![attribute("b", None, "2"), attribute("a", Some(Operator::Equals), "1")], &["W", "R"]);
        assert_eq!(one.normal(), same.normal());
        assert_ne!(one.normal(), draft(one.subject.attributes.clone(), &["R"]).normal());
        assert_ne!(one.normal(), draft(vec![attribute("a", None, "1")], &["R", "W"]).normal());
        let wild = vec![attribute("a", Some(Operator::Match), "1"), attribute("b", None, "2")];
        assert_ne!(one.normal(), draft(wild, &["R", "W"]).normal());
    }

    #[test]
    fn something_unknown_fits_no_value() {
        assert!(!attribute("a", None, "").fits(None));
        assert!(!attribute("a", Some(Operator::Match), "*").fits(None));
        assert!(attribute("a", Some(Operator::Exists), "false").fits(None));
        assert!(attribute("a", Some(Operator::Exists), "true").fits(Some("x")));
    }
}
