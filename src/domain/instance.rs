//! Service instances, as the Resource Controller makes them.

use crate::domain::crn;
use crate::domain::id::InstanceId;
use crate::domain::instance_policy::InstancePolicies;
use crate::domain::time::Timestamp;

/// A service that instances can be made of here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Key Protect, `kms` in CRNs.
    KeyProtect,
    /// Cloud Object Storage.
    ObjectStorage,
}

/// A plan of the catalogue: its id decides the service. Source: Node integration tests, Terraform's catalogue maps.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) service: Service,
}

const PLANS: [Plan; 5] = [
    Plan { id: "eedd3585-90c6-4c8f-be3d-062069e99fc3", name: "tiered-pricing", service: Service::KeyProtect },
    Plan { id: "4e853ad3-5820-49c7-8d07-a179fb15b9ee", name: "cross-region-resiliency", service: Service::KeyProtect },
    Plan { id: "2fdf0c08-2d32-4f46-84b5-32e0c92fffd8", name: "lite", service: Service::ObjectStorage },
    Plan { id: "744bfc56-d12c-4866-88d5-dac9139e0e5d", name: "standard", service: Service::ObjectStorage },
    Plan { id: "1e4e33e4-cfa6-4f12-9016-be594a6d5f87", name: "cos-one-rate-plan", service: Service::ObjectStorage },
];

impl Plan {
    /// The plan of that id, if the catalogue has it.
    pub(crate) fn find(id: &str) -> Option<&'static Self> {
        PLANS.iter().find(|plan| plan.id == id)
    }

    /// The plans' ids with their names, for messages.
    pub(crate) fn known() -> String {
        let all: Vec<String> = PLANS.iter().map(|plan| format!("{} ({})", plan.id, plan.name)).collect();
        all.join(", ")
    }
}

impl Service {
    /// The service's name in segment 4 of a CRN.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyProtect => "kms",
            Self::ObjectStorage => "cloud-object-storage",
        }
    }

    /// Reads the name of segment 4.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "kms" => Some(Self::KeyProtect),
            "cloud-object-storage" => Some(Self::ObjectStorage),
            _ => None,
        }
    }

    /// The word that the Resource Controller has for the service among instances. Source: redstone's command line, which
    /// takes instances of `kms` for Key Protect's.
    pub(crate) fn sub_type(self) -> &'static str {
        match self {
            Self::KeyProtect => "kms",
            Self::ObjectStorage => "",
        }
    }

    /// The offering's id in the catalogue.
    pub(crate) fn offering_id(self) -> &'static str {
        match self {
            Self::KeyProtect => "ee41347f-b18e-4ca6-bf80-b5467c63f9a6",
            Self::ObjectStorage => "dff97f5c-bc5e-4455-b470-411c3edbe49c",
        }
    }
}

/// Plans that are remembered beside the present one; the oldest are forgotten.
pub(crate) const PLANS_BEFORE_MAX: usize = 99;

/// Whether an instance is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Keys can be used.
    Active,
    /// Deleted by its owner, and still there with all that is in it until an instant: `pending_reclamation`.
    Pending { at: Timestamp, by: String, until: Timestamp },
    /// Deleted by its owner and gone; the Resource Controller still shows it.
    Removed { at: Timestamp, by: String },
}

/// What was last done to an instance that is there. Source: API reference; live tests of the Python platform SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastOperation {
    Create,
    Update,
    Lock,
    Unlock,
}

impl LastOperation {
    /// The word on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Lock, Self::Unlock].into_iter().find(|operation| operation.name() == name)
    }
}

/// A plan that an instance has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanStart {
    pub(crate) plan_id: String,
    pub(crate) at: Timestamp,
}

/// A service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    pub(crate) service: Service,
    /// `us-south` and the like; `global` for Cloud Object Storage.
    pub(crate) region: String,
    /// 32 hexadecimal digits.
    pub(crate) account: String,
    pub(crate) name: String,
    pub(crate) plan_id: String,
    /// The plans before, oldest first, [`PLANS_BEFORE_MAX`] of them.
    pub(crate) plans_before: Vec<PlanStart>,
    /// When the present plan began.
    pub(crate) plan_since: Timestamp,
    pub(crate) resource_group: String,
    /// What the creator gave as `parameters`, JSON text; kept and shown, not read.
    pub(crate) parameters: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) allow_cleanup: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    /// When and by whom it was last changed, if ever.
    pub(crate) updated: Option<(Timestamp, String)>,
    pub(crate) last_operation: LastOperation,
    /// True while it can be neither changed nor removed.
    pub(crate) locked: bool,
    pub(crate) presence: Presence,
    /// Of Key Protect; other services have none.
    pub(crate) policies: InstancePolicies,
}

impl Instance {
    /// Takes another plan.
    pub(crate) fn change_plan(&mut self, plan_id: String, now: Timestamp) {
        if plan_id == self.plan_id {
            return;
        }
        let before = std::mem::replace(&mut self.plan_id, plan_id);
        self.plans_before.push(PlanStart { plan_id: before, at: self.plan_since });
        let surplus = self.plans_before.len().saturating_sub(PLANS_BEFORE_MAX);
        self.plans_before.drain(..surplus);
        self.plan_since = now;
    }

    /// When and by whom it was last touched: removed, changed or made.
    pub(crate) fn last_change(&self) -> (Timestamp, &str) {
        match (&self.presence, &self.updated) {
            (Presence::Pending { at, by, .. } | Presence::Removed { at, by }, _)
            | (Presence::Active, Some((at, by))) => (*at, by),
            (Presence::Active, None) => (self.created_at, ""),
        }
    }

    /// The instance's CRN.
    pub(crate) fn crn(&self) -> String {
        crn::of_instance(self.service.name(), &self.region, &self.account, self.id)
    }

    /// The word of the Resource Controller. Source: API reference, states of an instance.
    pub(crate) fn state(&self) -> &'static str {
        match self.presence {
            Presence::Active => "active",
            Presence::Pending { .. } => "pending_reclamation",
            Presence::Removed { .. } => "removed",
        }
    }

    /// True until the owner has deleted it.
    pub(crate) fn is_active(&self) -> bool {
        self.presence == Presence::Active
    }
}
