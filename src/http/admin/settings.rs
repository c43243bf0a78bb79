//! `/mock/settings`: switches that may change while the service runs.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value as Json};

use crate::domain::settings::{Setting, Settings, Value, Wrong};
use crate::http::admin::errors::{self, AdminError};
use crate::http::admin::parameters::needed_members;
use crate::http::state::State;

/// `GET /mock/settings`
pub(crate) async fn show(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(rendered(&state.app.settings()))
}

/// `PATCH /mock/settings`: all that the body names, or nothing.
pub(crate) async fn change(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    errors::respond(async {
        let members = needed_members(&request, payload, &Setting::ALL.map(Setting::name)).await?;
        // A change starts with what falls due before it.
        state.now().await;
        let mut wanted = Settings::clone(&state.app.settings());
        let mut changed = Vec::new();
        for (name, value) in &members {
            let Some(setting) = Setting::parse(name) else { continue };
            wanted.set(setting, read(value)).map_err(|wrong| refuse(name, wrong))?;
            changed.push(setting);
        }
        state.app.change_settings(changed, wanted).await?;
        Ok(HttpResponse::Ok().json(rendered(&state.app.settings())))
    })
    .await
}

fn read(value: &Json) -> Value<'_> {
    match value {
        Json::String(text) => Value::Text(text),
        Json::Bool(flag) => Value::Flag(*flag),
        // Beyond what fits, a whole number is out of range all the same.
        Json::Number(number) if number.is_u64() => Value::Whole(number.as_i64().unwrap_or(i64::MIN)),
        Json::Number(number) => number.as_i64().map_or(Value::Other, Value::Whole),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Other,
    }
}

fn refuse(name: &str, wrong: Wrong) -> AdminError {
    match wrong {
        Wrong::Form(rule) => AdminError::bad_field(name, rule),
        Wrong::Range(rule) => AdminError::impossible(name, rule),
    }
}

fn rendered(settings: &Settings) -> Json {
    let member = |setting: Setting| {
        let value = match settings.get(setting) {
            Value::Text(text) => text.into(),
            Value::Whole(number) => number.into(),
            Value::Flag(flag) => flag.into(),
            Value::Other => Json::Null,
        };
        (setting.name().to_owned(), value)
    };
    Json::Object(Setting::ALL.map(member).into_iter().collect::<Map<String, Json>>())
}
