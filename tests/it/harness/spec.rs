//! `openapi.yaml` as a judge: each reply must be one that it describes.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use serde_json::{Map, Value, json};

use super::Reply;

struct Spec {
    document: Value,
    /// Validators by a pointer to the schema that they were made of.
    validators: Mutex<HashMap<String, jsonschema::Validator>>,
}

fn spec() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    SPEC.get_or_init(|| {
        let mut document: Value = serde_yaml_ng::from_str(include_str!("../../../openapi.yaml")).expect("openapi.yaml");
        nullable(&mut document);
        Spec { document, validators: Mutex::default() }
    })
}

/// OpenAPI 3.0 says `nullable` where JSON Schema lists a type.
fn nullable(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.remove("nullable") == Some(Value::Bool(true))
                && let Some(kind) = members.get("type").cloned()
            {
                members.insert("type".to_owned(), json!([kind, "null"]));
            }
            members.values_mut().for_each(nullable);
        }
        Value::Array(list) => list.iter_mut().for_each(nullable),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Asserts that the reply is one that the document describes, unless it does not describe the path at all.
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    let Some((template, operation)) = operation(method, path) else { return };
    let status = reply.status.to_string();
    let response = operation["responses"].get(&status);
    let response = response.unwrap_or_else(|| panic!("openapi.yaml has no {status} for {method} {template}"));
    let (pointer, response) = resolve(response, &format!("{method} {template} {status}"));
    for name in response["headers"].as_object().into_iter().flat_map(Map::keys) {
        let required = resolve(&response["headers"][name], "").1["required"] == true;
        assert!(!required || reply.headers.contains_key(name), "{}: no header {name}", reply.called);
    }
    let Some(content) = response.get("content") else {
        assert!(reply.body.is_empty(), "{}: {status} should have no body", reply.called);
        return;
    };
    let media_type = reply.header("content-type").unwrap_or_default();
    let described = content.get(media_type).unwrap_or_else(|| panic!("{}: {status} as {media_type:?}", reply.called));
    if media_type.ends_with("json") {
        validate(&format!("{pointer} {media_type}"), &described["schema"], &reply.json(), &reply.called);
    }
}

fn operation(method: &str, path: &str) -> Option<(String, &'static Value)> {
    let path = path.split('?').next().unwrap_or_default();
    let wanted: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == wanted.len()
            && parts.iter().zip(&wanted).all(|(part, word)| part.starts_with('{') || part == word)
    };
    let paths = spec().document["paths"].as_object()?;
    // A path without parameters outranks one with them.
    let mut found: Vec<&String> = paths.keys().filter(|template| fits(template)).collect();
    found.sort_by_key(|template| template.matches('{').count());
    let template = found.first()?;
    let operation = paths[*template].get(method.to_ascii_lowercase())?;
    Some(((*template).clone(), operation))
}

fn resolve<'v>(value: &'v Value, place: &str) -> (String, &'v Value) {
    let Some(reference) = value["$ref"].as_str() else { return (place.to_owned(), value) };
    let found = spec().document.pointer(reference.trim_start_matches('#'));
    (reference.to_owned(), found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
}

fn validate(key: &str, schema: &Value, body: &Value, called: &str) {
    let wrong = violations(key, schema, body);
    assert!(wrong.is_empty(), "{called} is not what openapi.yaml says: {wrong:#?}\n{body:#}");
}

/// Panics nowhere once it holds the lock: a test that fails must not take others with it.
fn violations(key: &str, schema: &Value, body: &Value) -> Vec<String> {
    let mut validators = spec().validators.lock().unwrap();
    let validator = validators.entry(key.to_owned()).or_insert_with(|| {
        // References need the components beside them.
        let root = json!({ "allOf": [schema], "components": spec().document["components"] });
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .should_validate_formats(true)
            .build(&root)
            .expect("a schema")
    });
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
