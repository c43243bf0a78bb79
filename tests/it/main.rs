//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise, and nobody imports it"
)]

mod access_limits;
mod admin;
mod aliases;
mod audit;
mod audit_data;
mod audit_file;
mod change;
mod clock;
mod commands;
mod controller_access;
mod controller_rules;
mod cos_crash;
mod cos_deadlines;
mod cos_full_disk;
mod cos_hang_ups;
mod cos_key_life;
mod cos_key_records;
mod cos_lists;
mod cos_multipart;
mod cos_objects;
mod cos_retention;
mod cos_root_keys;
mod cos_secrecy;
mod cos_under_way;
mod cos_unregistered;
mod cos_wire_matrix;
mod cos_wire_tls;
mod cos_wire_traps;
mod coverage;
mod crash;
mod create;
mod data_folder;
mod deadlines;
mod deliveries;
mod docs;
mod errors;
mod event_ack;
mod event_crashes;
mod event_ends;
mod events_out;
mod fidelity;
mod full_disk;
mod go_client;
mod golden_replies;
mod harness;
mod hostile_tokens;
mod iam_identities;
mod iam_policies;
mod iam_policy_lists;
mod import_tokens;
mod instance_policies;
mod instances;
mod key_life;
mod key_policies;
mod kmip_adapters;
mod kmip_certificates;
mod kmip_objects;
mod lags;
mod late;
mod lists;
mod metrics;
mod network_policies;
mod process;
mod protected_keys;
mod races;
mod registration_writes;
mod registrations;
mod resource_keys;
mod rings;
mod roles;
mod secrets;
mod settings;
mod simulation;
mod sinks;
mod sse_kp_page;
mod state_table;
mod stopping;
mod strict;
mod subscribers;
mod tidy;
mod time_rules;
mod tokens;
mod versions;
mod webhooks_tls;
mod wire;
mod wrapping;
