//! `/mock/subscribers`: whom events are delivered to. Source: `docs/contract/interface.md` 3.1, 3.2.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use crate::app::subscribers::{self, SECRET_RULE, SubscriberChange, SubscriberRefusal, WebhookSecret};
use crate::domain::crn::CrnQuery;
use crate::domain::event::EventKind;
use crate::domain::subscriber::{Ack, GATEWAY, SUBSCRIBERS_MAX, Scope, Subscriber, is_name, is_service};
use crate::domain::time::Timestamp;
use crate::http::admin::errors::{AdminError, respond_json};
use crate::http::admin::parameters::{ListControl, members, only_known, text};
use crate::http::query::Query;
use crate::http::state::State;

type Members = Map<String, Value>;

const MEMBERS: [&str; 7] = ["name", "url", "secret", "serviceName", "resourceCrn", "events", "ack"];
const CHANGEABLE: [&str; 4] = ["url", "secret", "events", "ack"];

/// `GET /mock/subscribers`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::OK, async {
        let query = Query::of(&request);
        only_known(&query, &["limit"])?;
        let limit = ListControl::of(&query)?.limit;
        let all = subscribers::list(&state.app).await?;
        let shown: Vec<Value> = all.iter().take(limit).map(render).collect();
        Ok(json!({ "subscribers": shown, "total": all.len() }))
    })
    .await
}

/// `POST /mock/subscribers`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::CREATED, async {
        let members = members(&request, payload, &MEMBERS).await?;
        let name = text(&members, "name")?.ok_or_else(|| AdminError::bad_field("name", "is needed"))?;
        if name == GATEWAY {
            return restore(&members, &state).await;
        }
        if !is_name(name) {
            return Err(AdminError::impossible("name", format!("must be {}", Subscriber::NAME_RULE)));
        }
        let url = text(&members, "url")?.ok_or_else(|| AdminError::bad_field("url", "is needed"))?;
        let secret = secret(&members)?;
        let subscriber = Subscriber {
            name: name.to_owned(),
            url: url.to_owned(),
            scope: scope(&members)?,
            events: events(&members)?.unwrap_or_else(|| EventKind::ALL.to_vec()),
            ack: ack(&members)?.unwrap_or(Ack::Http),
            built_in: false,
            created_at: state.now().await.whole_seconds(),
        };
        reachable(&state, url).await?;
        let secret = secret.map_or_else(|| subscribers::new_secret(&state.app), Ok)?;
        let made = subscribers::create(&state.app, subscriber, &secret).await.map_err(refuse)?;
        let mut body = render(&made);
        if let Some(shown) = body.as_object_mut() {
            shown.insert("secret".to_owned(), json!(*secret.text()));
        }
        Ok(body)
    })
    .await
}

/// The gateway's own is named alone.
async fn restore(members: &Members, state: &State) -> Result<Value, AdminError> {
    if let Some(other) = members.keys().find(|member| *member != "name") {
        return Err(AdminError::impossible(
            other,
            format!("{GATEWAY} is the gateway's own and is put back by its name alone"),
        ));
    }
    let now = state.now().await;
    let restored = subscribers::restore_gateway(&state.app, now).await.map_err(refuse)?;
    Ok(render(&restored))
}

/// `PATCH /mock/subscribers/{name}`
pub(crate) async fn change(
    request: HttpRequest,
    name: Path<String>,
    payload: Payload,
    state: Data<State>,
) -> HttpResponse {
    respond_json(StatusCode::OK, async {
        let members = members(&request, payload, &CHANGEABLE).await?;
        let change = SubscriberChange {
            url: text(&members, "url")?.map(str::to_owned),
            secret: secret(&members)?,
            events: events(&members)?,
            ack: ack(&members)?,
        };
        if let Some(url) = &change.url {
            reachable(&state, url).await?;
        }
        let now = state.now().await;
        let changed = subscribers::change(&state.app, name.into_inner(), change, now).await.map_err(refuse)?;
        Ok(render(&changed))
    })
    .await
}

/// `DELETE /mock/subscribers/{name}`
pub(crate) async fn remove(name: Path<String>, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::NO_CONTENT, async {
        let now: Timestamp = state.now().await;
        subscribers::remove(&state.app, name.into_inner(), now).await.map_err(refuse)?;
        Ok(Value::Null)
    })
    .await
}

fn secret(members: &Members) -> Result<Option<WebhookSecret>, AdminError> {
    let Some(text) = text(members, "secret")? else { return Ok(None) };
    let secret = WebhookSecret::parse(text);
    secret.map(Some).ok_or_else(|| AdminError::impossible("secret", format!("must be {SECRET_RULE}")))
}

fn scope(members: &Members) -> Result<Scope, AdminError> {
    match (text(members, "serviceName")?, text(members, "resourceCrn")?) {
        (Some(name), None) if is_service(name) => Ok(Scope::Service(name.to_owned())),
        (Some(_), None) => Err(AdminError::impossible("serviceName", format!("must be {}", Subscriber::SERVICE_RULE))),
        (None, Some(pattern)) => {
            let rule = || AdminError::impossible("resourceCrn", format!("must be {}", Subscriber::RESOURCE_RULE));
            CrnQuery::parse(pattern).map(Scope::Resource).ok_or_else(rule)
        }
        (None, None) => Err(AdminError::impossible("serviceName", "one of `serviceName` and `resourceCrn` is needed")),
        (Some(_), Some(_)) => {
            Err(AdminError::impossible("resourceCrn", "only one of `serviceName` and `resourceCrn` may be given"))
        }
    }
}

fn events(members: &Members) -> Result<Option<Vec<EventKind>>, AdminError> {
    const RULE: &str = "must be a list of deletion, restoration, enable, disable, rotation, at least one of them";
    let words = match members.get("events") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(words)) => words,
        Some(_) => return Err(AdminError::bad_field("events", RULE)),
    };
    let mut asked = Vec::with_capacity(words.len());
    for word in words {
        let word = word.as_str().ok_or_else(|| AdminError::bad_field("events", RULE))?;
        asked.push(EventKind::parse(word).ok_or_else(|| AdminError::impossible("events", RULE))?);
    }
    let events: Vec<EventKind> = EventKind::ALL.into_iter().filter(|kind| asked.contains(kind)).collect();
    if events.is_empty() { Err(AdminError::impossible("events", RULE)) } else { Ok(Some(events)) }
}

fn ack(members: &Members) -> Result<Option<Ack>, AdminError> {
    let Some(word) = text(members, "ack")? else { return Ok(None) };
    Ack::parse(word).map(Some).ok_or_else(|| AdminError::impossible("ack", "must be http or event_ack"))
}

async fn reachable(state: &State, url: &str) -> Result<(), AdminError> {
    state.app.receivers.check(url).await.map_err(|why| AdminError::impossible("url", why.to_string()))
}

fn refuse(refusal: SubscriberRefusal) -> AdminError {
    let plain = |status, code, path: &str, message: String| AdminError {
        path: Some(path.to_owned()),
        ..AdminError::plain(status, code, message)
    };
    match refusal {
        SubscriberRefusal::NameTaken => {
            let message = "a subscriber has this name; choose another or delete that one first".to_owned();
            plain(StatusCode::CONFLICT, "conflict", "name", message)
        }
        SubscriberRefusal::NotFound => {
            plain(StatusCode::NOT_FOUND, "not_found", "name", "no subscriber has this name".to_owned())
        }
        SubscriberRefusal::TooMany => {
            AdminError::impossible("name", format!("{SUBSCRIBERS_MAX} subscribers are the most; delete one first"))
        }
        SubscriberRefusal::BuiltIn => AdminError::impossible(
            "name",
            format!("{GATEWAY} is the gateway's own: it cannot be changed, only deleted"),
        ),
        SubscriberRefusal::NoGateway => AdminError::impossible(
            "name",
            format!("{GATEWAY} is there with the gateway alone; start it with --cos-port"),
        ),
        SubscriberRefusal::Fault(fault) => fault.into(),
    }
}

fn render(one: &Subscriber) -> Value {
    let (service, resource) = match &one.scope {
        Scope::Service(name) => (Some(name.as_str()), None),
        Scope::Resource(pattern) => (None, Some(pattern.as_str())),
    };
    json!({
        "name": one.name,
        "url": one.url,
        "serviceName": service,
        "resourceCrn": resource,
        "events": one.events.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "ack": one.ack.name(),
        "builtIn": one.built_in,
        "createdAt": one.created_at.rfc3339_exact(),
    })
}
