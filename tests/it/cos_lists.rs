//! Listings of objects and uploads: order, prefixes, delimiters, pages.

use std::collections::BTreeSet;

use hyper::Method;

use crate::harness::Harness;
use crate::harness::gateway::element;

const KEYS: [&str; 8] = ["a/1", "a/2", "a/b/3", "b", "c d", "c/4", "z\u{e9}", "\u{1f600}"];

async fn shelf() -> Harness {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("shelf").await;
    for key in KEYS {
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
        kp.put_object(&format!("shelf/{}", key.replace("%2F", "/")), "x").await.answers(200);
    }
    kp
}

async fn list(kp: &Harness, query: &str) -> String {
    kp.s3(Method::GET, &format!("/shelf?{query}")).send().await.answers(200)
}

/// Texts of all elements of that name within those of the other.
fn texts(xml: &str, within: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{within}>"), format!("</{within}>"));
    let parts = xml.split(&open).skip(1);
    parts.filter_map(|part| element(part.split(&close).next()?, name)).collect()
}

fn keys(xml: &str) -> Vec<String> {
    texts(xml, "Contents", "Key")
}

fn prefixes(xml: &str) -> Vec<String> {
    texts(xml, "CommonPrefixes", "Prefix")
}

#[actix_web::test]
async fn keys_are_listed_in_the_order_of_their_bytes() {
    let kp = shelf().await;
    let all = list(&kp, "list-type=2").await;
    assert_eq!(keys(&all), KEYS);
    assert_eq!(element(&all, "KeyCount").as_deref(), Some("8"));
    assert_eq!(keys(&list(&kp, "list-type=2&prefix=a/").await), &KEYS[..3]);
    assert_eq!(keys(&list(&kp, "list-type=2&start-after=b").await), &KEYS[4..]);
    assert_eq!(keys(&list(&kp, "list-type=2&prefix=none").await), Vec::<String>::new());
    assert_eq!(keys(&list(&kp, "list-type=2&max-keys=0").await), Vec::<String>::new());
    let coded = list(&kp, "list-type=2&encoding-type=url&prefix=c").await;
    assert!(coded.contains("<Key>c%20d</Key>") && coded.contains("<EncodingType>url</EncodingType>"), "{coded}");
}

#[actix_web::test]
async fn a_delimiter_folds_keys_into_prefixes() {
    let kp = shelf().await;
    let top = list(&kp, "list-type=2&delimiter=/").await;
    assert_eq!(keys(&top), ["b", "c d", "z\u{e9}", "\u{1f600}"]);
    assert_eq!(prefixes(&top), ["a/", "c/"]);
    assert_eq!(element(&top, "KeyCount").as_deref(), Some("6"));
    let below = list(&kp, "list-type=2&delimiter=/&prefix=a/").await;
    assert_eq!((keys(&below), prefixes(&below)), (vec!["a/1".to_owned(), "a/2".to_owned()], vec!["a/b/".to_owned()]));
}

#[actix_web::test]
async fn pages_of_any_size_show_everything_once() {
    let kp = shelf().await;
    for (delimiter, expected) in [("", 8), ("&delimiter=/", 6)] {
        for size in 1..=expected {
            let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let after = if token.is_empty() { String::new() } else { format!("&continuation-token={token}") };
                let page = list(&kp, &format!("list-type=2&max-keys={size}{delimiter}{after}")).await;
                seen.extend(keys(&page).into_iter().chain(prefixes(&page)));
                pages += 1;
                let Some(next) = element(&page, "NextContinuationToken") else { break };
                token = next;
            }
            let unique: BTreeSet<&String> = seen.iter().collect();
            assert_eq!((seen.len(), unique.len()), (expected, expected), "{size} a page: {seen:?}");
            assert_eq!(pages, expected.div_ceil(size));
        }
    }
    let forged = kp.s3(Method::GET, "/shelf?list-type=2&continuation-token=AAAA").send().await;
    forged.refused_with(400, "InvalidArgument");
}

#[actix_web::test]
async fn the_older_form_pages_by_markers() {
    let kp = shelf().await;
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let page = list(&kp, &format!("max-keys=2&delimiter=/&encoding-type=url&marker={marker}")).await;
        seen.extend(keys(&page).into_iter().chain(prefixes(&page)));
        if element(&page, "IsTruncated").as_deref() != Some("true") {
            break;
        }
        marker = element(&page, "NextMarker").expect("a marker");
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert_eq!(keys(&list(&kp, "marker=b").await), &KEYS[4..]);
}

#[actix_web::test]
async fn uploads_are_listed_by_key_and_age_in_pages() {
    let kp = shelf().await;
    let mut begun = Vec::new();
    for key in ["u/1", "u/1", "u/2", "v"] {
        let reply = kp.s3(Method::POST, &format!("/shelf/{key}?uploads")).send().await.answers(200);
        begun.push(element(&reply, "UploadId").unwrap());
    }
    let (mut seen, mut place) = (Vec::new(), String::new());
    loop {
        let page = list(&kp, &format!("uploads&max-uploads=1{place}")).await;
        seen.extend(texts(&page, "Upload", "UploadId"));
        if element(&page, "IsTruncated").as_deref() != Some("true") {
            break;
        }
        let key = element(&page, "NextKeyMarker").unwrap();
        place = format!("&key-marker={key}&upload-id-marker={}", element(&page, "NextUploadIdMarker").unwrap());
    }
    assert_eq!(seen, begun);
    // A marker counts from its own place on, also when its upload is over or belongs to another key.
    let behind = async |key: &str, id: &str| {
        let page = list(&kp, &format!("uploads&key-marker={key}&upload-id-marker={id}")).await;
        texts(&page, "Upload", "UploadId")
    };
    assert_eq!(behind("u/1", "").await, &begun[2..]);
    assert_eq!(behind("u/1", &begun[3]).await, &begun[2..]);
    assert_eq!(behind("u/0", &begun[0]).await, begun);
    let folded = list(&kp, "uploads&delimiter=/").await;
    assert_eq!((texts(&folded, "Upload", "Key"), prefixes(&folded)), (vec!["v".to_owned()], vec!["u/".to_owned()]));
}

/// As cleaners do it.
#[actix_web::test]
async fn who_aborts_page_by_page_meets_every_upload() {
    let kp = shelf().await;
    for key in ["same", "same", "same", "same", "zlast"] {
        kp.s3(Method::POST, &format!("/shelf/{key}?uploads")).send().await.answers(200);
    }
    let (mut aborted, mut place) = (0, String::new());
    loop {
        let page = list(&kp, &format!("uploads&max-uploads=2{place}")).await;
        for (key, id) in texts(&page, "Upload", "Key").iter().zip(texts(&page, "Upload", "UploadId")) {
            let path = format!("/shelf/{key}?uploadId={id}");
            kp.s3(Method::DELETE, &path).send().await.answers(204);
            kp.s3(Method::DELETE, &path).send().await.refused_with(404, "NoSuchUpload");
            kp.s3(Method::PUT, &format!("{path}&partNumber=1")).raw("x").send().await.refused_with(404, "NoSuchUpload");
            aborted += 1;
        }
        let Some(key) = element(&page, "NextKeyMarker") else { break };
        place = format!("&key-marker={key}&upload-id-marker={}", element(&page, "NextUploadIdMarker").unwrap());
    }
    assert_eq!(aborted, 5);
    assert_eq!(texts(&list(&kp, "uploads").await, "Upload", "Key"), Vec::<String>::new());
}
