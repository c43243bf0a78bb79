//! `GET /metrics`: what is counted, in Prometheus' text form.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::prometheus_text::{self, CONTENT_TYPE};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::app::metrics::{Api, BOUNDS, Cache, Figures};
use crate::http::admin::errors::{self, AdminError};
use crate::http::operation_ids;
use crate::http::state::State;

/// What requests are called that no document describes.
const OTHER: &str = "other";

/// `GET /metrics`
pub(crate) async fn show(state: Data<State>) -> HttpResponse {
    errors::respond(async {
        let keys = state.app.keys_by_state().await?;
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape { app: Arc::clone(&state.app), keys }));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).map_err(|_| AdminError::failed())?;
        Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(text))
    })
    .await
}

/// Counts a request that is not for keys. What a sink answers is what a tester asked for, and not counted.
pub(crate) fn count(state: &State, method: &str, path: &str, status: u16, took: Duration) {
    if path.starts_with("/mock/sinks/") && path.contains("/hook-") {
        return;
    }
    let operation = operation_ids::find(method, path);
    let api = match path.split('/').nth(1) {
        Some("api") => Api::KeyProtect,
        Some("v2") if path.starts_with("/v2/resource_") => Api::ResourceController,
        Some("identity" | "oidc" | "v1" | "v2") => Api::Iam,
        Some(_) | None => Api::Admin,
    };
    state.app.metrics.answered(api, operation.unwrap_or(OTHER), status, took);
}

/// The moment at which everything is read.
struct Scrape {
    app: Arc<App>,
    /// The name of a state, and how many keys are in it.
    keys: Vec<(&'static str, i64)>,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrape")
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let operations = self.app.metrics.operations();
        let requests = operations.iter().flat_map(|((api, operation), figures)| {
            let statuses = figures.statuses.iter();
            statuses.map(move |(status, count)| (*api, *operation, status.to_string(), *count))
        });
        let mut metric =
            encoder.encode_descriptor("mkp_requests", "Requests by operation and status", None, MetricType::Counter)?;
        for (api, operation, status, count) in requests {
            let labels = [("api", api.name()), ("operation", operation), ("status", status.as_str())];
            ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
        }
        let mut metric = encoder.encode_descriptor(
            "mkp_request_duration_seconds",
            "Real time from a request's head to its reply",
            None,
            MetricType::Histogram,
        )?;
        for ((api, operation), figures) in &operations {
            let labels = [("api", api.name()), ("operation", *operation)];
            let (count, buckets) = histogram(figures);
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(figures.total.as_secs_f64(), count, &buckets, None)?;
        }
        gauges(&mut encoder, "mkp_keys", "Keys of all instances by state", "state", &self.keys)?;
        let queues = [
            ("audit", self.app.audit.len()),
            ("reader", self.app.reader.waiting()),
            ("writer", self.app.writer.waiting()),
        ];
        gauges(&mut encoder, "mkp_queue_depth", "What waits for the store", "queue", &queues.map(whole))?;
        self.caches(&mut encoder)
    }
}

impl Scrape {
    fn caches(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counted = [("tokens", Cache::Tokens), ("keys", Cache::Keys)];
        let look_ups = counted.map(|(name, cache)| (name, self.app.metrics.look_ups(cache)));
        let hits = look_ups.map(|(name, found)| (name, found.hits));
        let misses = look_ups.map(|(name, found)| (name, found.misses));
        for (name, help, counts) in [
            ("mkp_cache_hits", "Look-ups that found what they sought in memory", hits),
            ("mkp_cache_misses", "Look-ups that did not: a token was verified, a key unsealed", misses),
        ] {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (cache, count) in counts {
                ConstCounter::new(count).encode(metric.encode_family(&[("cache", cache)])?)?;
            }
        }
        let memory = &self.app.memory;
        let sizes =
            [("instances", memory.instances.len()), ("keys", memory.keys.len()), ("tokens", self.app.tokens.len())];
        gauges(encoder, "mkp_cache_entries", "What is held in memory", "cache", &sizes.map(whole))
    }
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, i64)],
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (word, value) in values {
        ConstGauge::new(*value).encode(metric.encode_family(&[(label, *word)])?)?;
    }
    Ok(())
}

fn whole((name, count): (&'static str, usize)) -> (&'static str, i64) {
    (name, i64::try_from(count).unwrap_or(i64::MAX))
}

/// How many there are in all and in each bucket.
fn histogram(figures: &Figures) -> (u64, Vec<(f64, u64)>) {
    let bounds = BOUNDS.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
    (figures.buckets.iter().sum(), bounds.zip(figures.buckets).collect())
}
