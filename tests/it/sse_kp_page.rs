//! `docs/sse-kp.md` names tests that are there.

use std::path::Path;

const STATEMENTS: usize = 18;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn each_statement_names_tests_that_exist() {
    let page = read("docs/sse-kp.md");
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let number: usize = cells.next()?.parse().ok()?;
        Some((number, cells.next().expect("a statement").to_owned(), cells.next().expect("tests").to_owned()))
    });
    let rows: Vec<(usize, String, String)> = rows.collect();
    assert!(rows.iter().map(|(number, _, _)| *number).eq(1..=STATEMENTS), "{rows:?}");
    for (number, statement, tests) in rows {
        assert!(statement.len() > 20, "{number}: {statement}");
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{number} names no test");
        for test in named {
            let (file, name) = test.split_once("::").expect("a file and a name");
            let source = read(&format!("tests/it/{file}.rs"));
            let there = source.contains(&format!("async fn {name}()")) && source.contains("#[actix_web::test]");
            assert!(there, "{number}: {test} is not there");
            assert!(read("tests/it/main.rs").contains(&format!("mod {file};")), "{file} is not run");
        }
    }
}
