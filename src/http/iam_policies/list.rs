//! Lists of policies: filters, order and pages. An account has a few thousand at most, so all are read.

use std::cmp::Ordering;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::domain::iam_policy::{Attribute, IamPolicy, PolicyKind, PolicyState};
use crate::http::iam_policies::document::Form;
use crate::http::iam_policies::errors::PolicyError;
use crate::http::iam_policies::policies::{administrator, respond};
use crate::http::query::Query;
use crate::http::state::State;

/// Policies on one page, where pages are asked for. Source: Node client.
const PAGE_MAX: usize = 100;

/// `GET /v1/policies`, `GET /v2/policies`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let query = Query::of(&request);
        let account = query.get("account_id").filter(|account| !account.is_empty()).ok_or_else(|| {
            let message = "the query parameter account_id is needed";
            PolicyError::plain(StatusCode::BAD_REQUEST, "missing_required_query_parameter", message)
        })?;
        if account != caller.account {
            return Err(crate::app::iam_policies::PolicyRefusal::Forbidden.into());
        }
        let wanted = match query.get("state") {
            None => PolicyState::Active,
            Some(text) => PolicyState::parse(text).ok_or_else(|| wrong("state", "active or deleted"))?,
        };
        let kind = match query.get("type") {
            None => None,
            Some(text) => Some(PolicyKind::parse(text).ok_or_else(|| wrong("type", "access or authorization"))?),
        };
        let page = Page::of(&query)?;
        let sort = Sort::of(&query)?;
        let all = state.app.list_policies(wanted).await?.into_iter();
        let matching = all
            .filter(|(_, policy)| kind.is_none_or(|kind| policy.draft.kind == kind) && matches(policy, &query))
            .map(|(number, policy)| (Place { key: sort.key(&policy), number }, policy));
        let mut rows: Vec<(Place, IamPolicy)> = matching.collect();
        rows.sort_by(|(one, _), (other, _)| sort.compare(one, other));
        rows.retain(|(place, _)| page.after.as_ref().is_none_or(|after| sort.compare(place, after).is_gt()));
        Ok(HttpResponse::Ok().json(page.render(Form::of(&request), &rows, &query, &state)))
    })
    .await
}

/// Filters by subject, service and tag. A policy that says nothing of a type of services is of type `service` when it
/// names one (ASSUMED).
fn matches(policy: &IamPolicy, query: &Query<'_>) -> bool {
    let draft = &policy.draft;
    let same = |attribute: Option<&Attribute>, wanted: &str| attribute.is_some_and(|one| one.value == wanted);
    let subject = ["iam_id", "access_group_id"]
        .into_iter()
        .all(|name| query.get(name).is_none_or(|wanted| same(draft.subject.get(name), wanted)));
    let service = query.get("service_name").is_none_or(|wanted| same(draft.resource.get("serviceName"), wanted));
    let group = query.get("service_group_id").is_none_or(|wanted| same(draft.resource.get("service_group_id"), wanted));
    let kind = query.get("service_type").is_none_or(|wanted| match draft.resource.get("serviceType") {
        Some(kind) => kind.value == wanted,
        None => wanted == "service" && draft.resource.get("serviceName").is_some(),
    });
    let tag = |tag: &Attribute| {
        query.get("tag_name").is_none_or(|name| tag.name == name)
            && query.get("tag_value").is_none_or(|value| tag.value == value)
    };
    let tags_asked = query.get("tag_name").is_some() || query.get("tag_value").is_some();
    subject && service && group && kind && (!tags_asked || draft.resource.tags.iter().any(tag))
}

/// What a list is sorted by; by nothing: it is in order of creation. Source: Node client.
struct Sort {
    by: Option<fn(&IamPolicy) -> String>,
    descending: bool,
}

/// Where a policy stands in a sorted list, whatever becomes of others.
struct Place {
    /// What the list is sorted by.
    key: String,
    /// In the order of creation.
    number: i64,
}

impl Place {
    /// As a page's token tells it: `<number>.<key>`.
    fn parse(text: &str) -> Option<Self> {
        let (number, key) = text.split_once('.').unwrap_or((text, ""));
        Some(Self { key: key.to_owned(), number: number.parse().ok()? })
    }

    fn token(&self) -> String {
        if self.key.is_empty() { self.number.to_string() } else { format!("{}.{}", self.number, self.key) }
    }
}

impl Sort {
    fn of(query: &Query<'_>) -> Result<Self, PolicyError> {
        const NAMES: &str = "id, type, href, created_at, created_by_id, last_modified_at, last_modified_by_id or state, with - before it";
        let Some(text) = query.get("sort").filter(|text| !text.is_empty()) else {
            return Ok(Self { by: None, descending: false });
        };
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let by: fn(&IamPolicy) -> String = match name {
            "id" | "href" => |policy| policy.id.to_string(),
            "type" => |policy| policy.draft.kind.name().to_owned(),
            "created_at" => |policy| format!("{:020}", policy.created_at.millis()),
            "created_by_id" => |policy| policy.created_by.clone(),
            "last_modified_at" => |policy| format!("{:020}", policy.updated_at.millis()),
            "last_modified_by_id" => |policy| policy.updated_by.clone(),
            "state" => |policy| policy.state.name().to_owned(),
            _ => return Err(wrong("sort", NAMES)),
        };
        Ok(Self { by: Some(by), descending })
    }

    fn key(&self, policy: &IamPolicy) -> String {
        self.by.map(|by| by(policy)).unwrap_or_default()
    }

    fn compare(&self, one: &Place, other: &Place) -> Ordering {
        let order = one.key.cmp(&other.key);
        let order = if self.descending { order.reverse() } else { order };
        order.then(one.number.cmp(&other.number))
    }
}

/// A page that is asked for; without `limit` all that is left is shown.
struct Page {
    limit: Option<usize>,
    /// The last one that was shown.
    after: Option<Place>,
}

impl Page {
    fn of(query: &Query<'_>) -> Result<Self, PolicyError> {
        let limit = match query.get("limit").map(str::parse) {
            None => None,
            Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => Some(limit),
            Some(_) => return Err(wrong("limit", "between 1 and 100")),
        };
        let after = query
            .get("start")
            .map(|text| Place::parse(text).ok_or_else(|| wrong("start", "taken from the page before")));
        Ok(Self { limit, after: after.transpose()? })
    }

    /// `rows`: all that are left.
    fn render(&self, form: Form, rows: &[(Place, IamPolicy)], query: &Query<'_>, state: &State) -> Value {
        let url = &state.info.url;
        let page: Vec<&(Place, IamPolicy)> = rows.iter().take(self.limit.unwrap_or(usize::MAX)).collect();
        let shown: Vec<Value> = page.iter().map(|(_, policy)| form.render(policy, url)).collect();
        let Some(limit) = self.limit else { return json!({ "policies": shown }) };
        let mut body = json!({ "limit": limit, "first": { "href": link(form, query, url, None) }, "policies": shown });
        if let Some((last, _)) = page.last().filter(|_| page.len() < rows.len())
            && let Some(members) = body.as_object_mut()
        {
            let start = last.token();
            let next = json!({ "href": link(form, query, url, Some(&start)), "start": start });
            members.insert("next".to_owned(), next);
        }
        body
    }
}

/// Another page of the same list: filters go along.
fn link(form: Form, query: &Query<'_>, url: &str, start: Option<&str>) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for name in query.names().filter(|name| *name != "start") {
        pairs.append_pair(name, query.get(name).unwrap_or_default());
    }
    if let Some(start) = start {
        pairs.append_pair("start", start);
    }
    format!("{url}{}?{}", form.path(), pairs.finish())
}

fn wrong(name: &str, rule: &str) -> PolicyError {
    let message = format!("the query parameter {name} must be {rule}");
    PolicyError::plain(StatusCode::BAD_REQUEST, "request_not_processed", message)
}
