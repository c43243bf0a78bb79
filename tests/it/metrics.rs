//! `/metrics`: what is counted, in Prometheus' text form.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::Harness;

/// What a scraper makes of a reply: values by name and labels as they are written, and kinds by name.
struct Scraped {
    values: BTreeMap<String, String>,
    kinds: BTreeMap<String, String>,
}

impl Scraped {
    fn text(&self, sample: &str) -> &str {
        self.values.get(sample).unwrap_or_else(|| panic!("no {sample} among {:#?}", self.values.keys()))
    }

    fn count(&self, sample: &str) -> u64 {
        self.text(sample).parse().unwrap_or_else(|_| panic!("{sample} {}", self.text(sample)))
    }

    /// How many requests of an operation ended with a status.
    fn requests(&self, api: &str, operation: &str, status: u16) -> u64 {
        let labels = format!("api=\"{api}\",operation=\"{operation}\",status=\"{status}\"");
        let sample = format!("mkp_requests_total{{{labels}}}");
        if self.values.contains_key(&sample) { self.count(&sample) } else { 0 }
    }
}

async fn scrape(kp: &Harness) -> Scraped {
    let reply = kp.get("/metrics").without("authorization").send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(text.ends_with('\n'));
    let (mut values, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let words: Vec<&str> = comment.splitn(3, ' ').collect();
            match words[..] {
                ["HELP", _, help] => assert!(!help.is_empty()),
                ["TYPE", name, kind] => {
                    let before = kinds.insert(name.to_owned(), kind.to_owned());
                    assert_eq!(before, None, "each name has one kind: {name}");
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let name = sample.split('{').next().unwrap();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(kinds.contains_key(name) || kinds.contains_key(base), "{line} has no kind before it");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert_eq!(values.insert(sample.to_owned(), value.to_owned()), None, "{line} stands there twice");
    }
    Scraped { values, kinds }
}

#[actix_web::test]
async fn requests_are_counted_by_operation_and_status() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("invoices").await;
    for _ in 0..3 {
        kp.wrap(&key, "aGVsbG8=").await;
    }
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    kp.unwrap(&key, &ciphertext).await.succeeds(200);
    kp.unwrap(&key, "rubbish").await.refused(400, "INVALID_FIELD_ERR");
    kp.action(&key, "wrap").without("authorization").send().await.unauthorized();
    kp.post(&format!("/api/v2/keys/{key}?action=rewrap")).json(&json!({ "ciphertext": ciphertext })).send().await;
    kp.get("/v2/resource_instances").send().await.succeeds(200);
    kp.get("/nothing/there").send().await.succeeds(404);
    let scraped = scrape(&kp).await;
    for (api, operation, status, count) in [
        ("key-protect", "createKey", 201, 1),
        ("key-protect", "wrapKey", 200, 4),
        ("key-protect", "wrapKey", 401, 1),
        ("key-protect", "unwrapKey", 200, 1),
        ("key-protect", "unwrapKey", 400, 1),
        ("key-protect", "rewrapKey", 200, 1),
        ("iam", "getToken", 200, 1),
        ("resource-controller", "listResourceInstances", 200, 1),
        ("admin", "other", 404, 1),
    ] {
        assert_eq!(scraped.requests(api, operation, status), count, "{operation} {status}");
    }
    assert_eq!(scraped.kinds["mkp_requests_total"], "counter");
    assert_eq!(scrape(&kp).await.requests("admin", "other", 200), 1, "the first scrape");
}

#[actix_web::test]
async fn latencies_are_a_histogram_that_adds_up() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("invoices").await;
    for _ in 0..5 {
        kp.wrap(&key, "aGVsbG8=").await;
    }
    let scraped = scrape(&kp).await;
    assert_eq!(scraped.kinds["mkp_request_duration_seconds"], "histogram");
    let series = "api=\"key-protect\",operation=\"wrapKey\"";
    assert_eq!(scraped.count(&format!("mkp_request_duration_seconds_count{{{series}}}")), 5);
    let sum = scraped.text(&format!("mkp_request_duration_seconds_sum{{{series}}}"));
    assert!(sum.parse::<f64>().unwrap() > 0.0, "{sum}");
    let buckets = scraped.values.iter().filter_map(|(sample, value)| {
        let bound = sample.strip_prefix("mkp_request_duration_seconds_bucket{")?.split("le=\"").nth(1)?;
        let bound = bound.split('"').next()?;
        sample.contains(series).then(|| (bound.parse().unwrap(), value.parse().unwrap()))
    });
    let mut buckets: Vec<(f64, u64)> = buckets.collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert!(buckets.len() > 10 && buckets.is_sorted_by(|one, other| one.1 <= other.1), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&(f64::INFINITY, 5)));
    assert!(buckets.iter().all(|(bound, _)| *bound < 100.0 || bound.is_infinite()), "{buckets:?}");
}

#[actix_web::test]
async fn keys_are_counted_by_state() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let states = async |kp: &Harness| {
        let scraped = scrape(kp).await;
        let of = |state: &str| scraped.count(&format!("mkp_keys{{state=\"{state}\"}}"));
        ["active", "suspended", "deactivated", "destroyed"].map(of)
    };
    assert_eq!(states(&kp).await, [0; 4]);
    let (one, two) = (kp.create_root_key("one").await, kp.create_root_key("two").await);
    kp.create(&json!({ "name": "short", "extractable": true, "expirationDate": "2026-01-01T01:00:00Z" })).await;
    kp.disable(&one).await.succeeds(204);
    kp.delete_key(&two).await.succeeds(204);
    assert_eq!(states(&kp).await, [1, 1, 0, 1]);
    kp.advance("1h").await;
    assert_eq!(states(&kp).await, [0, 1, 1, 1]);
    kp.advance("90d").await;
    assert_eq!(states(&kp).await, [0, 1, 1, 0]);
}

#[actix_web::test]
async fn memories_and_queues_tell_what_they_hold() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("invoices").await;
    for _ in 0..3 {
        kp.wrap(&key, "aGVsbG8=").await;
    }
    let other = kp.token_for("another").await;
    kp.action(&key, "wrap").bearer(&other).json(&json!({})).send().await.succeeds(200);
    let scraped = scrape(&kp).await;
    assert_eq!(scraped.count("mkp_cache_misses_total{cache=\"keys\"}"), 1);
    assert_eq!(scraped.count("mkp_cache_hits_total{cache=\"keys\"}"), 3);
    assert_eq!(scraped.count("mkp_cache_misses_total{cache=\"tokens\"}"), 2);
    assert_eq!(scraped.count("mkp_cache_hits_total{cache=\"tokens\"}"), 3);
    assert_eq!(scraped.count("mkp_cache_entries{cache=\"keys\"}"), 1);
    assert_eq!(scraped.count("mkp_cache_entries{cache=\"tokens\"}"), 2);
    assert_eq!(scraped.count("mkp_cache_entries{cache=\"instances\"}"), 2);
    for queue in ["audit", "reader", "writer"] {
        let depth = scraped.count(&format!("mkp_queue_depth{{queue=\"{queue}\"}}"));
        assert!((0..=10).contains(&depth), "{queue}: {depth}");
    }
}
