//! `/docs`: the API in a browser, without a network.

use serde_json::Value;

use crate::harness::Harness;

/// Addresses that a page names in `src` and `href`.
fn named(page: &str) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        all.extend(page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
    }
    all
}

#[actix_web::test]
async fn the_page_names_nothing_that_is_not_here() {
    let kp = Harness::new().await;
    let page = kp.get("/docs").without("authorization").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    let named = named(&text);
    assert!(named.contains(&"/openapi.yaml") && named.contains(&"/docs/swagger-ui.js"), "{named:?}");
    for address in named {
        if address != "data:," {
            assert!(address.starts_with('/'), "{address} is elsewhere");
            assert_eq!(kp.get(address).without("authorization").send().await.status, 200, "{address}");
        }
    }
}

#[actix_web::test]
async fn its_files_tell_what_they_are() {
    let kp = Harness::new().await;
    for (path, kind, packed) in [
        ("/docs/page.js", "text/javascript; charset=utf-8", false),
        ("/docs/page.css", "text/css; charset=utf-8", false),
        ("/docs/swagger-ui.js", "text/javascript; charset=utf-8", true),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8", true),
    ] {
        let file = kp.get(path).send().await;
        assert_eq!(file.header("content-type"), Some(kind), "{path}");
        assert_eq!(file.header("content-encoding"), packed.then_some("gzip"), "{path}");
        assert_eq!(file.body.starts_with(&[0x1f, 0x8b]), packed, "{path}");
    }
    kp.post("/docs").send().await.succeeds(405);
    kp.get("/docs/nothing").send().await.succeeds(404);
}

#[actix_web::test]
async fn who_is_lost_is_told_where_to_look() {
    let kp = Harness::new().await;
    for path in ["/", "/keys", "/mock/nothing", "/docs/nothing"] {
        let refused = kp.get(path).send().await.succeeds(404);
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("/docs") && message.contains("/mock/info"), "{path}: {message}");
    }
}

/// Places in a document where something stands among the members of an `allOf`.
fn within_all_of(document: &Value, place: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match document {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (name, value) in members {
        let place = format!("{place}/{name}");
        if name == "allOf" && value.as_array().is_some_and(|all| all.iter().any(|one| one.get("oneOf").is_some())) {
            found.push(place.clone());
        }
        within_all_of(value, &place, found);
    }
}

#[test]
fn the_page_can_show_all_schemas() {
    // Swagger UI fails to resolve a `oneOf` that stands within an `allOf`, and shows errors instead.
    let document: Value = serde_yaml_ng::from_str(include_str!("../../openapi.yaml")).unwrap();
    let mut found = Vec::new();
    within_all_of(&document, "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
