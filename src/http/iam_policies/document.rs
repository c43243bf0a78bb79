//! Policies as JSON. Version 1 has lists of subjects and resources and `name`; version 2 has one of each, and `key`.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::domain::iam_policy::{Attribute, Conditions, IamPolicy, Operator, PolicyDraft, PolicyKind};
use crate::domain::role::{Role, is_role_crn};
use crate::http::iam_policies::errors::PolicyError;

/// Attributes that the subject of an authorization may have. Source: Node client.
const SUBJECT_ATTRIBUTES: [&str; 7] =
    ["accountId", "serviceName", "serviceInstance", "region", "resourceType", "resource", "resourceGroupId"];
/// Characters of an attribute's value. Source: Node client.
const VALUE_CHARACTERS_MAX: usize = 1_000;
/// Attributes and roles in one policy (ASSUMED).
const PARTS_MAX: usize = 100;
/// Characters of a description (ASSUMED).
const DESCRIPTION_CHARACTERS_MAX: usize = 300;

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    V1,
    V2,
}

type Object = Map<String, Value>;

impl Form {
    /// The version that a request speaks.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        if request.path().starts_with("/v1/") { Self::V1 } else { Self::V2 }
    }

    /// The version's path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::V1 => "/v1/policies",
            Self::V2 => "/v2/policies",
        }
    }

    fn name_member(self) -> &'static str {
        match self {
            Self::V1 => "name",
            Self::V2 => "key",
        }
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// `invalid_body`, `role_not_found`.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<PolicyDraft, PolicyError> {
        let body: Object = serde_json::from_slice(bytes).map_err(|_| wrong("the body must be a JSON object"))?;
        for unknown in ["rule", "pattern"] {
            // A condition on time that is left out of account would give too much.
            if body.get(unknown).is_some_and(|rule| !rule.is_null() && rule.as_str() != Some("")) {
                return Err(wrong(format!("`{unknown}` is not supported: policies are in force at all times")));
            }
        }
        let kind = body.get("type").and_then(Value::as_str).and_then(PolicyKind::parse);
        let kind = kind.ok_or_else(|| wrong("`type` must be access or authorization"))?;
        let (subject, resource) = match self {
            Self::V1 => (single(&body, "subjects")?, single(&body, "resources")?),
            Self::V2 => (object(&body, "subject")?, object(&body, "resource")?),
        };
        let draft = PolicyDraft {
            kind,
            description: description(&body)?,
            subject: Conditions { attributes: self.attributes(subject, "attributes")?, tags: Vec::new() },
            resource: Conditions {
                attributes: self.attributes(resource, "attributes")?,
                tags: self.attributes(resource, "tags")?,
            },
            roles: self.roles(&body)?,
        };
        check(&draft)?;
        Ok(draft)
    }

    fn attributes(self, of: &Object, member: &str) -> Result<Vec<Attribute>, PolicyError> {
        let list = match of.get(member) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(list)) if list.len() <= PARTS_MAX => list,
            Some(_) => return Err(wrong(format!("`{member}` must be a list of at most {PARTS_MAX} attributes"))),
        };
        let mut all: Vec<Attribute> = Vec::new();
        for one in list {
            let attribute = self.attribute(one)?;
            if all.iter().any(|known| known.name == attribute.name) && member == "attributes" {
                return Err(wrong(format!("`{}` stands twice among the attributes", attribute.name)));
            }
            all.push(attribute);
        }
        Ok(all)
    }

    fn attribute(self, one: &Value) -> Result<Attribute, PolicyError> {
        let member = self.name_member();
        let one = one.as_object().ok_or_else(|| wrong("an attribute must be an object"))?;
        if let Some(other) = one.keys().find(|key| ![member, "value", "operator"].contains(&key.as_str())) {
            return Err(wrong(format!("`{other}` is no member of an attribute: {member}, operator, value are")));
        }
        let name = one.get(member).and_then(Value::as_str).filter(|name| is_text(name, VALUE_CHARACTERS_MAX));
        let name = name.ok_or_else(|| wrong(format!("an attribute needs a `{member}`")))?;
        let operator = match one.get("operator") {
            None if self == Self::V1 => None,
            Some(Value::String(text)) => Some(Operator::parse(text).ok_or_else(|| {
                wrong(format!("`operator` of `{name}` must be stringEquals, stringMatch or stringExists"))
            })?),
            None | Some(_) => return Err(wrong(format!("`{name}` needs an `operator`"))),
        };
        let exists = operator == Some(Operator::Exists);
        let value = match one.get("value") {
            Some(Value::Bool(value)) if exists => value.to_string(),
            Some(Value::String(text)) if !exists && is_text(text, VALUE_CHARACTERS_MAX) => text.clone(),
            Some(Value::String(text)) if exists && (text == "true" || text == "false") => text.clone(),
            None | Some(_) => return Err(wrong(format!("`value` of `{name}` must be a text of 1 to 1000 characters"))),
        };
        Ok(Attribute { name: name.to_owned(), operator, value })
    }

    fn roles(self, body: &Object) -> Result<Vec<String>, PolicyError> {
        let holder = match self {
            Self::V1 => body,
            Self::V2 => object(object(body, "control")?, "grant")?,
        };
        let list = holder.get("roles").and_then(Value::as_array).filter(|list| (1..=PARTS_MAX).contains(&list.len()));
        let list = list.ok_or_else(|| wrong("`roles` must be a list with at least one role"))?;
        let mut all: Vec<String> = Vec::new();
        for role in list {
            let crn = role.get("role_id").and_then(Value::as_str).ok_or_else(|| wrong("a role needs a `role_id`"))?;
            if !all.iter().any(|known| known == crn) {
                all.push(crn.to_owned());
            }
        }
        Ok(all)
    }

    /// A policy as this version shows it; `url` is the service's own address.
    pub(crate) fn render(self, policy: &IamPolicy, url: &str) -> Value {
        let draft = &policy.draft;
        let mut body = json!({
            "id": policy.id.to_string(),
            "type": draft.kind.name(),
            "href": format!("{url}{}/{}", self.path(), policy.id),
            "created_at": policy.created_at.rfc3339_exact(),
            "created_by_id": policy.created_by,
            "last_modified_at": policy.updated_at.rfc3339_exact(),
            "last_modified_by_id": policy.updated_by,
            "state": policy.state.name(),
        });
        let roles: Vec<Value> = draft.roles.iter().map(|crn| role(crn)).collect();
        let (subject, resource) = (self.conditions(&draft.subject), self.conditions(&draft.resource));
        let Some(members) = body.as_object_mut() else { return body };
        if let Some(description) = &draft.description {
            members.insert("description".to_owned(), json!(description));
        }
        match self {
            Self::V1 => members.extend([
                ("subjects".to_owned(), json!([subject])),
                ("roles".to_owned(), json!(roles)),
                ("resources".to_owned(), json!([resource])),
            ]),
            Self::V2 => members.extend([
                ("subject".to_owned(), subject),
                ("control".to_owned(), json!({ "grant": { "roles": roles } })),
                ("resource".to_owned(), resource),
            ]),
        }
        body
    }

    fn conditions(self, conditions: &Conditions) -> Value {
        let all = |attributes: &[Attribute]| attributes.iter().map(|one| self.render_attribute(one)).collect();
        let attributes: Vec<Value> = all(&conditions.attributes);
        if conditions.tags.is_empty() {
            return json!({ "attributes": attributes });
        }
        let tags: Vec<Value> = all(&conditions.tags);
        json!({ "attributes": attributes, "tags": tags })
    }

    fn render_attribute(self, attribute: &Attribute) -> Value {
        let mut members = Object::new();
        members.insert(self.name_member().to_owned(), json!(attribute.name));
        let exists = attribute.operator == Some(Operator::Exists);
        let value = if exists && self == Self::V2 { json!(attribute.value == "true") } else { json!(attribute.value) };
        members.insert("value".to_owned(), value);
        if attribute.operator.is_some() || self == Self::V2 {
            members.insert("operator".to_owned(), json!(attribute.operator().name()));
        }
        Value::Object(members)
    }
}

/// Source: Node client, texts about authorizations. That an access policy names one identity is ASSUMED.
fn check(draft: &PolicyDraft) -> Result<(), PolicyError> {
    let (subject, resource) = (&draft.subject, &draft.resource);
    match draft.kind {
        PolicyKind::Access => {
            let named = ["iam_id", "access_group_id"].into_iter().filter(|name| subject.get(name).is_some()).count();
            if named != 1 || subject.attributes.len() != 1 {
                return Err(wrong("the subject of an access policy must have iam_id or access_group_id"));
            }
            if resource.attributes.is_empty() {
                return Err(wrong("the resource must have attributes"));
            }
        }
        PolicyKind::Authorization => {
            if let Some(other) = subject.attributes.iter().find(|one| !SUBJECT_ATTRIBUTES.contains(&one.name.as_str()))
            {
                return Err(wrong(format!("`{}` is no attribute of a subject", other.name)));
            }
            let service = subject.get("serviceName").or_else(|| subject.get("resourceGroupId"));
            if subject.get("accountId").is_none() || service.is_none() {
                return Err(wrong("the subject must have accountId, and serviceName or resourceGroupId"));
            }
            if resource.get("accountId").is_none() {
                return Err(wrong("the resource must have accountId"));
            }
        }
    }
    // What roles other services have is not known here.
    let key_protect = resource.get("serviceName").is_some_and(|name| name.fits(Some("kms")));
    let known = |crn: &str| Role::find(crn).is_some() || (!key_protect && is_role_crn(crn));
    match draft.roles.iter().find(|crn| !known(crn)) {
        Some(crn) => {
            let message = format!("the service has no role `{crn}`; GET /v2/roles lists them");
            Err(PolicyError::plain(StatusCode::BAD_REQUEST, "role_not_found", message))
        }
        None => Ok(()),
    }
}

fn role(crn: &str) -> Value {
    match Role::find(crn) {
        Some(role) => json!({ "role_id": crn, "display_name": role.name, "description": role.description }),
        None => json!({ "role_id": crn, "display_name": crn.rsplit(':').next().unwrap_or(crn) }),
    }
}

fn description(body: &Object) -> Result<Option<String>, PolicyError> {
    match body.get("description") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if is_text(text, DESCRIPTION_CHARACTERS_MAX) => Ok(Some(text.clone())),
        Some(_) => Err(wrong("`description` must be a text of at most 300 characters")),
    }
}

fn single<'a>(body: &'a Object, member: &str) -> Result<&'a Object, PolicyError> {
    let list = body.get(member).and_then(Value::as_array).map(Vec::as_slice);
    let one = if let Some([one]) = list { one.as_object() } else { None };
    one.ok_or_else(|| wrong(format!("`{member}` must be a list of one")))
}

fn object<'a>(body: &'a Object, member: &str) -> Result<&'a Object, PolicyError> {
    body.get(member).and_then(Value::as_object).ok_or_else(|| wrong(format!("`{member}` must be an object")))
}

fn is_text(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn wrong(message: impl Into<String>) -> PolicyError {
    PolicyError::body(message)
}
