//! `/mock/settings`: switches that may change while the service runs.

use serde_json::{Value, json};

use crate::harness::Harness;

const PATH: &str = "/mock/settings";

fn defaults() -> Value {
    json!({
        "cosKeyInfoTtl": "1h", "cosKeyUnavailableStatus": 403, "cosKeyUnavailableCode": "AccessDenied",
        "cosReserveDeletedNames": false, "cosBucketsMax": 0, "cosStorageBytesMax": 0, "iamPropagation": "0s",
        "deregistrationLag": "0s", "ringCountLag": "0s", "instanceReclamation": "0s", "webhookTimeout": "15s",
    })
}

/// Other values than the defaults, for each of them.
fn others() -> Value {
    json!({
        "cosKeyInfoTtl": "90s", "cosKeyUnavailableStatus": 503, "cosKeyUnavailableCode": "KeyUnavailable",
        "cosReserveDeletedNames": true, "cosBucketsMax": 100, "cosStorageBytesMax": 1_099_511_627_776_i64,
        "iamPropagation": "5m", "deregistrationLag": "1h30m", "ringCountLag": "60s", "instanceReclamation": "7d",
        "webhookTimeout": "2s",
    })
}

async fn settings(kp: &Harness) -> Value {
    kp.get(PATH).send().await.succeeds(200)
}

async fn set(kp: &Harness, changes: &Value) -> Value {
    kp.patch(PATH).json(changes).send().await.succeeds(200)
}

#[actix_web::test]
async fn all_are_shown_with_their_defaults() {
    let kp = Harness::new().await;
    assert_eq!(settings(&kp).await, defaults());
}

#[actix_web::test]
async fn a_patch_changes_what_it_names_and_answers_all() {
    let kp = Harness::new().await;
    let mut expected = defaults();
    for (name, value) in others().as_object().unwrap() {
        expected[name] = value.clone();
        assert_eq!(set(&kp, &json!({ name: value })).await, expected, "{name}");
    }
    assert_eq!(set(&kp, &json!({})).await, expected);
    assert_eq!(settings(&kp).await, others());
    assert_eq!(set(&kp, &defaults()).await, defaults());
}

#[actix_web::test]
async fn a_wrong_value_is_refused_by_name_and_nothing_changes() {
    let kp = Harness::new().await;
    for (name, value, status) in [
        ("iamPropagation", json!("soon"), 400),
        ("iamPropagation", json!(5), 400),
        ("iamPropagation", Value::Null, 400),
        ("ringCountLag", json!("-1s"), 400),
        ("cosKeyInfoTtl", json!("1.5h"), 400),
        ("cosReserveDeletedNames", json!("true"), 400),
        ("cosBucketsMax", json!("100"), 400),
        ("cosBucketsMax", json!(1.5), 400),
        ("cosBucketsMax", json!(-1), 422),
        ("cosStorageBytesMax", json!(u64::MAX), 422),
        ("cosKeyUnavailableStatus", json!(200), 422),
        ("cosKeyUnavailableStatus", json!(600), 422),
        ("cosKeyUnavailableStatus", json!("403"), 400),
        ("cosKeyUnavailableCode", json!("Not a code"), 422),
        ("cosKeyUnavailableCode", json!(""), 422),
        ("webhookTimeout", json!("0s"), 422),
        ("webhookTimeout", json!("11m"), 422),
        ("iamPropagation", json!("99999999999d"), 422),
        ("iamPropagation", json!("99999999999999999999999d"), 422),
        ("webhookTimeOut", json!("1s"), 400),
    ] {
        let body = json!({ "cosKeyUnavailableStatus": 400, "webhookTimeout": "3s", name: value });
        let refused = kp.patch(PATH).json(&body).send().await.succeeds(status);
        assert_eq!(refused["error"]["path"], name, "{body}");
    }
    for body in ["", " ", "[]", "null", "\"cosBucketsMax\"", "{"] {
        kp.patch(PATH).raw(body).send().await.succeeds(400);
    }
    kp.post(PATH).json(&json!({})).send().await.succeeds(405);
    assert_eq!(settings(&kp).await, defaults());
}

#[actix_web::test]
async fn they_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    set(&kp, &others()).await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    assert_eq!(settings(&kp).await, others());
}

#[actix_web::test]
async fn the_option_outranks_what_was_set_before_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &["--cos-key-info-ttl", "5m"]).await;
    assert_eq!(settings(&kp).await["cosKeyInfoTtl"], "5m");
    assert_eq!(set(&kp, &json!({ "cosKeyInfoTtl": "10m" })).await["cosKeyInfoTtl"], "10m");
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--cos-key-info-ttl", "0"]).await;
    assert_eq!(settings(&kp).await["cosKeyInfoTtl"], "0s");
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    assert_eq!(settings(&kp).await["cosKeyInfoTtl"], "0s");
}
