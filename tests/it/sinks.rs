//! Built-in receivers: what arrives in them is kept and can be waited for, and they answer as they are told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::dice::stopwatch;
use crate::harness::{Harness, wire};

/// The path of a sink's address.
fn path(kp: &Harness, sink: &Value) -> String {
    sink["url"].as_str().unwrap().strip_prefix(kp.url.as_str()).expect("an address of this service").to_owned()
}

async fn made(kp: &Harness, name: &str) -> Value {
    kp.post(&format!("/mock/sinks/{name}")).send().await.succeeds(201)
}

#[actix_web::test]
async fn a_sink_keeps_what_arrives_with_its_virtual_time() {
    let kp = Harness::frozen_at("2027-01-01T00:00:00Z").await;
    let sink = made(&kp, "s1").await;
    assert_eq!((&sink["name"], &sink["script"]), (&json!("s1"), &json!([])));
    assert_eq!((&sink["received"], &sink["total"]), (&json!([]), &json!(0)));
    let path = path(&kp, &sink);
    kp.post(&path).header("X-Thing", "one").json(&json!({ "a": [1] })).send().await.succeeds(200);
    kp.advance("2s").await;
    kp.post(&path).raw("not JSON").send().await.succeeds(200);
    let sink = kp.get("/mock/sinks/s1").send().await.succeeds(200);
    let received = sink["received"].as_array().unwrap();
    assert_eq!((received.len(), &sink["total"]), (2, &json!(2)));
    assert_eq!(received[0]["body"], json!({ "a": [1] }));
    assert_eq!((&received[0]["headers"]["x-thing"], &received[0]["status"]), (&json!("one"), &json!(200)));
    assert_eq!((&received[0]["raw"], &received[1]["raw"]), (&json!("{\"a\":[1]}"), &json!("not JSON")));
    assert_eq!(received[0]["at"], "2027-01-01T00:00:00Z");
    assert_eq!((&received[1]["at"], &received[1]["body"]), (&json!("2027-01-01T00:00:02Z"), &json!("not JSON")));
}

#[actix_web::test]
async fn a_script_is_used_up_reply_by_reply_and_its_last_goes_on() {
    let kp = Harness::new().await;
    let sink = made(&kp, "s1").await;
    let script = json!({ "replies": [500, { "status": 503, "retryAfter": 7 }, 204] });
    let told = kp.put("/mock/sinks/s1/script").json(&script).send().await.succeeds(200);
    assert_eq!(told["script"], script["replies"]);
    let path = path(&kp, &sink);
    for (status, retry_after) in [(500, None), (503, Some("7")), (204, None), (204, None)] {
        let reply = kp.post(&path).send().await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, retry_after));
    }
    let sink = kp.get("/mock/sinks/s1").send().await.succeeds(200);
    let statuses: Vec<_> = sink["received"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [500, 503, 204, 204]);
    assert_eq!(sink["script"], script["replies"], "as it was written");
    kp.put("/mock/sinks/s1/script").json(&json!({ "replies": [] })).send().await.succeeds(200);
    kp.post(&path).send().await.succeeds(200);
}

#[actix_web::test]
async fn a_sink_can_be_slow_and_can_drop_the_connection() {
    let kp = Harness::new().await;
    let path = path(&kp, &made(&kp, "s1").await);
    let script = json!({ "replies": [{ "status": 202, "delay": "1s" }, { "drop": true }, 200] });
    kp.put("/mock/sinks/s1/script").json(&script).send().await.succeeds(200);
    let started = stopwatch();
    kp.post(&path).send().await.succeeds(202);
    assert!(started.elapsed() >= Duration::from_secs(1));
    let request = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(wire::all_of(&kp.url, &request).await, "", "nothing comes back");
    kp.post(&path).send().await.succeeds(200);
    let sink = kp.get("/mock/sinks/s1").send().await.succeeds(200);
    assert_eq!((&sink["received"][1]["status"], &sink["received"][1]["body"]), (&Value::Null, &json!("hi")));
}

#[actix_web::test]
async fn a_listing_waits_until_enough_has_arrived() {
    let kp = Harness::new().await;
    let path = path(&kp, &made(&kp, "s1").await);
    let call = kp.get("/mock/sinks/s1?min=2&wait=30s").send();
    let sending = async {
        kp.post(&path).send().await.succeeds(200);
        kp.post(&path).send().await.succeeds(200);
    };
    let started = stopwatch();
    let (reply, ()) = tokio::join!(call, sending);
    assert_eq!(reply.succeeds(200)["total"], 2);
    assert!(started.elapsed() < Duration::from_secs(20));
    let short = kp.get("/mock/sinks/s1?min=3&wait=1s").send().await.succeeds(200);
    assert_eq!(short["total"], 2, "what is there, once the wait is over");
    let now = kp.get("/mock/sinks/s1?min=3").send().await.succeeds(200);
    assert_eq!(now["total"], 2);
}

#[actix_web::test]
async fn the_newest_thousand_are_kept() {
    let kp = Harness::new().await;
    let path = path(&kp, &made(&kp, "s1").await);
    for number in 0..1_005 {
        kp.post(&path).json(&json!(number)).send().await.succeeds(200);
    }
    let sink = kp.get("/mock/sinks/s1").send().await.succeeds(200);
    let received = sink["received"].as_array().unwrap();
    assert_eq!((received.len(), &sink["total"]), (1_000, &json!(1_005)));
    assert_eq!((&received[0]["body"], &received[999]["body"]), (&json!(5), &json!(1_004)));
}

#[actix_web::test]
async fn whoever_has_the_address_may_send_and_nobody_else() {
    let kp = Harness::with(&["--admin-token", "s3cret"]).await;
    kp.post("/mock/sinks/s1").without("authorization").send().await.succeeds(401);
    let sink = kp.post("/mock/sinks/s1").bearer("s3cret").send().await.succeeds(201);
    let path = path(&kp, &sink);
    kp.post(&path).without("authorization").header("host", "ledger.example.com").send().await.succeeds(200);
    for wrong in [format!("{path}0"), path.replace("/s1/", "/s2/"), "/mock/sinks/s1/hook-0".to_owned()] {
        assert_eq!(kp.post(&wrong).send().await.succeeds(404)["error"]["code"], "not_found", "{wrong}");
    }
    kp.get("/mock/sinks/s1").without("authorization").send().await.succeeds(401);
    assert_eq!(kp.get("/mock/sinks/s1").bearer("s3cret").send().await.succeeds(200)["total"], 1);
}

#[actix_web::test]
async fn names_are_unique_and_gone_when_deleted() {
    let kp = Harness::new().await;
    let path = path(&kp, &made(&kp, "s1").await);
    let error = kp.post("/mock/sinks/s1").send().await.succeeds(409);
    assert_eq!(error["error"]["path"], "name");
    assert!(kp.delete("/mock/sinks/s1").send().await.succeeds(204).is_null());
    for gone in [
        kp.get("/mock/sinks/s1").send().await,
        kp.delete("/mock/sinks/s1").send().await,
        kp.put("/mock/sinks/s1/script").json(&json!({ "replies": [200] })).send().await,
        kp.post(&path).send().await,
    ] {
        assert_eq!(gone.succeeds(404)["error"]["code"], "not_found", "{}", gone.called);
    }
    let again = made(&kp, "s1").await;
    assert!(!again["url"].as_str().unwrap().ends_with(&path), "another address");
}

#[actix_web::test]
async fn wrong_names_scripts_and_parameters_are_named() {
    let kp = Harness::new().await;
    made(&kp, "s1").await;
    let long = "n".repeat(65);
    for name in ["a%20b", "%C3%A9", &long] {
        assert_eq!(kp.post(&format!("/mock/sinks/{name}")).send().await.succeeds(422)["error"]["path"], "name");
    }
    for (body, path, status) in [
        (json!({}), "replies", 400),
        (json!({ "answers": [] }), "answers", 400),
        (json!({ "replies": [200, "x"] }), "replies.1", 400),
        (json!({ "replies": [{ "status": 99 }] }), "replies.0.status", 422),
    ] {
        let error = kp.put("/mock/sinks/s1/script").json(&body).send().await.succeeds(status);
        assert_eq!(error["error"]["path"], path, "{body}");
    }
    for (query, path) in [("min=x", "min"), ("wait=2m", "wait"), ("wait=5", "wait"), ("most=3", "most")] {
        let error = kp.get(&format!("/mock/sinks/s1?{query}")).send().await.succeeds(400);
        assert_eq!(error["error"]["path"], path, "{query}");
    }
    kp.patch("/mock/sinks/s1").send().await.succeeds(405);
    kp.get("/mock/sinks/s1/script").send().await.succeeds(405);
}
