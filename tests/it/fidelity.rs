//! `docs/fidelity.json`: each row has a living test, each operation has rows, and the table in the docs shows them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::harness::Harness;
use crate::harness::golden::compare_file;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// An `operationId` of `openapi.yaml`.
    operation: String,
    case: String,
    /// `sourced` or `assumed`.
    status: String,
    source: String,
    /// `module::function` of these tests, or `sdk: file::test` below `tests/sdk`.
    test: String,
}

const FILE: &str = include_str!("../../docs/fidelity.json");

fn rows() -> Vec<Row> {
    serde_json::from_str(FILE).expect("docs/fidelity.json")
}

/// `operationId` and summary, in the order of `openapi.yaml`.
fn operations() -> Vec<(String, String)> {
    let document: Value = serde_yaml_ng::from_str(include_str!("../../openapi.yaml")).expect("openapi.yaml");
    let mut found = Vec::new();
    for item in document["paths"].as_object().expect("paths").values() {
        for method in ["get", "head", "post", "put", "patch", "delete"] {
            if let Some(id) = item[method]["operationId"].as_str() {
                found.push((id.to_owned(), item[method]["summary"].as_str().unwrap_or_default().to_owned()));
            }
        }
    }
    found
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// True when the source has that test, and runs it.
fn lives(test: &str) -> bool {
    if let Some(sdk) = test.strip_prefix("sdk: ") {
        let Some((file, name)) = sdk.split_once("::") else { return false };
        let source = std::fs::read_to_string(folder("tests/sdk").join(file)).unwrap_or_default();
        return source.contains(&format!("def {name}(")) || source.contains(&format!("test('{name}'"));
    }
    let Some((module, name)) = test.split_once("::") else { return false };
    let source = std::fs::read_to_string(folder("tests/it").join(format!("{module}.rs"))).unwrap_or_default();
    let declared = format!("fn {name}()");
    source.split("\n#[").any(|item| {
        let mut lines = item.lines();
        let attribute = lines.next().unwrap_or_default();
        matches!(attribute, "actix_web::test]" | "test]" | "tokio::test]")
            && lines.next().is_some_and(|line| line.contains(&declared))
    })
}

#[test]
fn each_row_has_a_living_test() {
    let dead: Vec<String> =
        rows().iter().filter(|row| !lives(&row.test)).map(|row| format!("{}: {}", row.operation, row.test)).collect();
    assert!(dead.is_empty(), "no such test: {dead:#?}");
}

#[test]
fn each_operation_has_rows_and_each_row_an_operation() {
    let known: BTreeSet<String> = operations().into_iter().map(|(id, _)| id).collect();
    let shown: BTreeSet<String> = rows().into_iter().map(|row| row.operation).collect();
    assert_eq!(known.difference(&shown).collect::<Vec<_>>(), Vec::<&String>::new(), "without a row");
    assert_eq!(shown.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "not in openapi.yaml");
}

#[test]
fn each_row_is_one_line_says_all_and_is_there_once() {
    let rows = rows();
    let mut seen = BTreeSet::new();
    for row in &rows {
        assert!(["sourced", "assumed"].contains(&row.status.as_str()), "{}: {}", row.operation, row.status);
        assert!(!row.case.is_empty() && !row.source.is_empty(), "{}: a field is empty", row.operation);
        assert!(seen.insert((&row.operation, &row.case)), "twice: {} {}", row.operation, row.case);
    }
    // One row a line, so that changes side by side merge.
    assert_eq!(FILE.lines().count(), rows.len() + 2);
    for line in FILE.lines().filter(|line| line.len() > 1) {
        assert!(line.starts_with("{\"operation\": \""), "{line}");
    }
}

#[test]
fn the_table_in_the_docs_shows_the_rows() {
    let rows = rows();
    let mut table = String::from(
        "# What each operation does, and how that is known\n\n\
         Made from `fidelity.json` by the test `fidelity::the_table_in_the_docs_shows_the_rows` with `UPDATE_GOLDEN=1`.\n\
         **S**: sourced, **A**: assumed; where a source stands beside an A it says less than the case. Sources are written as in\n\
         [contract](contract). Tests are those of `tests/it`, or of `tests/sdk` after `sdk:`.\n",
    );
    for (id, summary) in operations() {
        write!(table, "\n## {summary} (`{id}`)\n\n| case | | source | test |\n|---|---|---|---|\n").expect("text");
        for row in rows.iter().filter(|row| row.operation == id) {
            let mark = if row.status == "sourced" { "S" } else { "A" };
            let cell = |text: &str| text.replace('|', "\\|");
            writeln!(table, "| {} | {mark} | {} | `{}` |", cell(&row.case), cell(&row.source), row.test).expect("text");
        }
    }
    compare_file("docs/fidelity-table.md", &table);
}

#[actix_web::test]
async fn the_rows_are_served_and_filtered() {
    let kp = Harness::new().await;
    let all = kp.get("/mock/fidelity?limit=5000").send().await.succeeds(200);
    let file: Value = serde_json::from_str(FILE).expect("docs/fidelity.json");
    assert_eq!(all["fidelity"], file);
    assert_eq!(all["total"], file.as_array().unwrap().len());
    assert_eq!(kp.get("/mock/fidelity").send().await.succeeds(200)["fidelity"].as_array().unwrap().len(), 200);
    let wraps = kp.get("/mock/fidelity?operation=wrap*&status=assumed").send().await.succeeds(200);
    let wraps = wraps["fidelity"].as_array().unwrap();
    assert!(!wraps.is_empty());
    assert!(wraps.iter().all(|row| row["operation"] == "wrapKey" && row["status"] == "assumed"));
    for (query, field) in [("status=known", "status"), ("case=x", "case"), ("limit=0", "limit")] {
        let refused = kp.get(&format!("/mock/fidelity?{query}")).send().await.succeeds(400);
        assert_eq!(refused["error"]["path"], field);
    }
}
