//! What `openapi.yaml` calls an operation, for what is not an operation on keys.

use std::sync::OnceLock;

/// The document that the service describes itself by.
pub(crate) const DOCUMENT: &str = include_str!("../../openapi.yaml");

struct Described {
    method: &'static str,
    path: &'static str,
    id: &'static str,
}

/// The `operationId` of a request, if the document describes it.
pub(crate) fn find(method: &str, path: &str) -> Option<&'static str> {
    static ALL: OnceLock<Vec<Described>> = OnceLock::new();
    let all = ALL.get_or_init(|| read(DOCUMENT));
    let found = all.iter().find(|one| one.method.eq_ignore_ascii_case(method) && fits(one.path, path));
    found.map(|one| one.id)
}

/// The document is ours and laid out in one way: a path is two blanks in, a method four, an id six.
fn read(document: &'static str) -> Vec<Described> {
    let (mut path, mut method) = ("", "");
    let mut all = Vec::new();
    for line in document.lines() {
        let text = line.trim_start();
        let Some((name, value)) = text.split_once(':') else { continue };
        match line.len() - text.len() {
            2 if text.starts_with('/') => path = text.trim_end_matches(':'),
            4 => method = name,
            6 if name == "operationId" => all.push(Described { method, path, id: value.trim() }),
            _ => {}
        }
    }
    all
}

fn fits(described: &str, path: &str) -> bool {
    let mut given = path.trim_end_matches('/').split('/');
    let same = described.split('/').all(|word| given.next().is_some_and(|text| word.starts_with('{') || word == text));
    same && given.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_of_the_document_is_found() {
        let document: serde_json::Value = serde_yaml_ng::from_str(DOCUMENT).unwrap();
        let mut count = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(id) = operation.get("operationId") else { continue };
                assert_eq!(find(method, path), id.as_str(), "{method} {path}");
                count += 1;
            }
        }
        assert_eq!(count, read(DOCUMENT).len());
    }

    #[test]
    fn ids_stand_for_any_word_and_unknown_paths_have_no_name() {
        assert_eq!(find("GET", "/v1/policies/some-id"), Some("getIamPolicy"));
        assert_eq!(find("POST", "/identity/token/"), Some("getToken"));
        assert_eq!(find("GET", "/v1/policies/some-id/more"), None);
        assert_eq!(find("PUT", "/identity/token"), None);
    }
}
