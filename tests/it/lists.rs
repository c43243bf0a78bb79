//! Listing, counting, searching and sorting keys, and their versions: `docs/contract/keys.md` 7 and 8.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::id_of;
use crate::harness::words::{base64_of, encoded};

const NOON: &str = "2026-01-01T12:00:00Z";
const KEY: &str = "application/vnd.ibm.kms.key+json";

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// Asserts that a list and its count are refused for a parameter.
async fn refused_query(kp: &Harness, query: &str, name: &str) {
    let reply = kp.get(&format!("/api/v2/keys?{query}")).send().await;
    let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["target"], json!({ "type": "query_param", "name": name }), "{query}");
    let message = reason["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("The query_param `{name}` must be: ")), "{message}");
    assert!(reply.error_msg().starts_with("Bad Request: Keys could not be retrieved: "), "{}", reply.error_msg());
}

/// Four keys: one is suspended, one is a standard key, one deactivated, one destroyed; a minute between each two.
async fn four_kinds(kp: &Harness) {
    let red = kp.create(&json!({ "name": "red", "extractable": false, "aliases": ["crimson"] })).await;
    kp.advance("1m").await;
    kp.create_standard_key("green").await;
    kp.advance("1m").await;
    let blue = json!({ "name": "blue", "extractable": false, "expirationDate": "2026-01-01T13:00:00Z" });
    let blue = kp.create(&blue).await;
    kp.advance("1m").await;
    let black = kp.import_root_key("black", &base64_of([1; 16])).await;
    kp.advance("1m").await;
    kp.disable(&red).await.succeeds(204);
    kp.rotate(&blue).await.succeeds(204);
    kp.delete_key(&black).await.succeeds(204);
    kp.advance("1h").await;
}

#[actix_web::test]
async fn an_empty_list_has_no_resources_at_all() {
    let kp = Harness::frozen_at(NOON).await;
    let reply = kp.get("/api/v2/keys").send().await;
    let empty = json!({ "metadata": { "collectionType": KEY, "collectionTotal": 0 } });
    assert_eq!(reply.succeeds(200), empty);
    assert_eq!(reply.header("content-type"), Some(KEY));
    assert_eq!(kp.total("").await, "0");
}

#[actix_web::test]
async fn a_list_shows_full_forms_in_the_order_of_ids_and_counts_what_it_shows() {
    let kp = Harness::frozen_at(NOON).await;
    for number in 0..12 {
        kp.create_root_key(&format!("key {number}")).await;
    }
    let list = kp.list("").await;
    let ids: Vec<&str> = list["resources"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    assert_eq!(list["metadata"], json!({ "collectionType": KEY, "collectionTotal": 12 }));
    for key in list["resources"].as_array().unwrap() {
        assert_eq!(kp.metadata(key["id"].as_str().unwrap()).await, *key);
    }
    assert_eq!(kp.list("limit=5").await["metadata"]["collectionTotal"], 5);
}

#[actix_web::test]
async fn pages_cover_the_list_without_gaps() {
    let kp = Harness::frozen_at(NOON).await;
    for number in 0..7 {
        kp.create_root_key(&format!("key {number}")).await;
    }
    let all = kp.names("").await;
    let mut paged = Vec::new();
    for offset in [0, 3, 6] {
        paged.extend(kp.names(&format!("limit=3&offset={offset}")).await);
    }
    assert_eq!(paged, all);
    for query in ["offset=7", "offset=5000", "offset=99999999999"] {
        assert!(kp.list(query).await.get("resources").is_none(), "{query}");
    }
    assert_eq!(kp.names("limit=5000&offset=0").await, all);
    assert_eq!(kp.names("limit=2000").await, all);
    assert_eq!(kp.total("limit=1&offset=6").await, "7");
}

#[actix_web::test]
async fn a_list_shows_200_keys_unless_more_are_asked_for() {
    let kp = Harness::frozen_at(NOON).await;
    for number in 0..201 {
        kp.create_root_key(&format!("key {number}")).await;
    }
    assert_eq!(kp.names("").await.len(), 200);
    assert_eq!(kp.names("limit=201").await.len(), 201);
    assert_eq!(kp.total("").await, "201");
}

#[actix_web::test]
async fn limits_and_offsets_out_of_range_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for query in ["limit=0", "limit=5001", "limit=ten", "limit=-1", "limit=1.5", "limit=", "limit=99999999999999999999"]
    {
        refused_query(&kp, query, "limit").await;
    }
    for query in ["offset=-1", "offset=one", "offset=1.0", "offset="] {
        refused_query(&kp, query, "offset").await;
    }
    let reason = kp.get("/api/v2/keys?limit=0").send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["message"], "The query_param `limit` must be: an integer between 1 and 5000 (inclusive)");
}

#[actix_web::test]
async fn unknown_parameters_are_ignored() {
    let kp = Harness::frozen_at(NOON).await;
    kp.create_root_key("red").await;
    let list = kp.list("totalCount=true&colour=red&Limit=0&x").await;
    assert_eq!(list["metadata"], json!({ "collectionType": KEY, "collectionTotal": 1 }));
}

#[actix_web::test]
async fn a_list_is_narrowed_down_by_state_and_kind() {
    let kp = Harness::frozen_at(NOON).await;
    four_kinds(&kp).await;
    let cases: [(&str, &[&str]); 12] = [
        ("", &["blue", "green", "red"]),
        ("state=1", &["green"]),
        ("state=2", &["red"]),
        ("state=3", &["blue"]),
        ("state=5", &["black"]),
        ("state=0,4", &[]),
        ("state=5,1,2", &["black", "green", "red"]),
        ("state=0,1,2,3,4,5", &["black", "blue", "green", "red"]),
        ("extractable=true", &["green"]),
        ("extractable=false", &["blue", "red"]),
        ("extractable=false&state=2,5", &["black", "red"]),
        ("extractable=true&state=5", &[]),
    ];
    for (query, names) in cases {
        assert_eq!(sorted(kp.names(query).await), names, "{query}");
        assert_eq!(kp.total(query).await, names.len().to_string(), "{query}");
    }
}

#[actix_web::test]
async fn states_and_kinds_that_are_none_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for state in ["1, 2", "1,", ",1", "6", "x", "-1", "01", "1.0", "1;2"] {
        refused_query(&kp, &format!("state={}", encoded(state)), "state").await;
    }
    for extractable in ["yes", "1", "", "TRUE", "true,false"] {
        refused_query(&kp, &format!("extractable={extractable}"), "extractable").await;
    }
}

#[actix_web::test]
async fn a_count_checks_its_parameters_too() {
    let kp = Harness::frozen_at(NOON).await;
    for query in ["state=6", "extractable=yes", "filter=name%3Dred"] {
        let reply = kp.head(&format!("/api/v2/keys?{query}")).send().await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.body.is_empty());
        assert!(reply.header("correlation-id").is_some());
    }
    for disregarded in ["limit=0", "offset=-1", "sort=bogus", "search=not:"] {
        let reply = kp.head(&format!("/api/v2/keys?{disregarded}")).send().await;
        assert_eq!(reply.status, 200, "{disregarded}");
    }
}

#[actix_web::test]
async fn a_count_has_no_body_and_looks_at_the_ring() {
    let kp = Harness::frozen_at(NOON).await;
    kp.create_root_key("red").await;
    let reply = kp.head("/api/v2/keys").send().await;
    assert_eq!((reply.status, reply.body.len(), reply.header("key-total")), (200, 0, Some("1")));
    for (ring, total) in [("default", "1"), ("no-such-ring", "0")] {
        let reply = kp.head("/api/v2/keys").header("x-kms-key-ring", ring).send().await;
        assert_eq!(reply.header("key-total"), Some(total), "{ring}");
        let list = kp.get("/api/v2/keys").header("x-kms-key-ring", ring).send().await.succeeds(200);
        assert_eq!(list["metadata"]["collectionTotal"].to_string(), total, "{ring}");
        assert_eq!(list.get("resources").is_some(), total == "1");
    }
}

#[actix_web::test]
async fn who_may_see_nothing_gets_an_empty_list_and_counts_zero() {
    let kp = Harness::frozen_at(NOON).await;
    kp.create_root_key("red").await;
    let stranger = kp.info["cosInstanceCrn"].as_str().unwrap().replace("cloud-object-storage", "databases-for-redis");
    let stranger = kp.service_token(&stranger).await;
    let list = kp.get("/api/v2/keys").bearer(&stranger).send().await.succeeds(200);
    assert_eq!(list, json!({ "metadata": { "collectionType": KEY, "collectionTotal": 0 } }));
    let reply = kp.head("/api/v2/keys").bearer(&stranger).send().await;
    assert_eq!((reply.status, reply.header("key-total")), (200, Some("0")));
    let reader = kp.reader_token().await;
    let list = kp.get("/api/v2/keys").bearer(&reader).send().await.succeeds(200);
    assert_eq!(list["metadata"]["collectionTotal"], 1);
}

#[actix_web::test]
async fn a_search_looks_into_names_and_aliases_in_any_case() {
    let kp = Harness::frozen_at(NOON).await;
    let keys: [(&str, &[&str]); 4] =
        [("Orange", &["fruit"]), ("apple", &["orange-not"]), ("not:pear", &[]), ("fruits", &["Basket"])];
    for (name, aliases) in keys {
        kp.create(&json!({ "name": name, "extractable": false, "aliases": aliases })).await;
    }
    let cases: [(&str, &[&str]); 21] = [
        ("orange", &["Orange", "apple"]),
        ("name:ORANGE", &["Orange"]),
        ("alias:Orange", &["apple"]),
        ("alias:name:orange", &["Orange", "apple"]),
        ("exact:orange", &["Orange"]),
        ("exact:oran", &[]),
        ("exact:alias:BASKET", &["fruits"]),
        ("not:orange", &["fruits", "not:pear"]),
        ("not:exact:orange", &["apple", "fruits", "not:pear"]),
        ("exact:not:orange", &["apple", "fruits", "not:pear"]),
        ("escape:not:pear", &["not:pear"]),
        ("not:pear", &["Orange", "apple", "fruits"]),
        ("exact:escape:not:pear", &["not:pear"]),
        ("not:escape:not:pear", &["Orange", "apple", "fruits"]),
        ("fruit", &["Orange", "fruits"]),
        ("not:alias:fruit", &["apple", "fruits", "not:pear"]),
        ("name:exact:fruits", &["fruits"]),
        ("orange,", &["Orange", "apple"]),
        ("alias:fruit,", &["Orange"]),
        ("orange,,", &[]),
        ("plum", &[]),
    ];
    for (search, names) in cases {
        assert_eq!(sorted(kp.names(&format!("search={}", encoded(search))).await), names, "{search}");
    }
}

#[actix_web::test]
async fn a_search_tells_what_it_searched_for() {
    let kp = Harness::frozen_at(NOON).await;
    let cases = [
        ("foobar", json!({ "query": "foobar", "scopes": ["name", "alias"] })),
        ("not:exact:Foo", json!({ "query": "Foo", "scopes": ["name", "alias"], "not": true, "exact": true })),
        ("alias:foo,", json!({ "query": "foo", "scopes": ["alias"] })),
        ("name:escape:alias:foo", json!({ "query": "alias:foo", "scopes": ["name"] })),
    ];
    for (search, told) in cases {
        let list = kp.list(&format!("search={}", encoded(search))).await;
        assert_eq!(list["metadata"]["searchQuery"], told, "{search}");
        assert!(list["metadata"].get("incompleteSearch").is_none());
    }
    assert!(kp.list("").await["metadata"].get("searchQuery").is_none());
}

#[actix_web::test]
async fn a_key_whose_id_or_alias_is_searched_for_comes_first() {
    let kp = Harness::frozen_at(NOON).await;
    for number in 0..6 {
        kp.create(&json!({ "name": format!("spare {number}"), "aliases": [format!("gold-{number}")] })).await;
    }
    let gold = kp.create(&json!({ "name": "gold key", "aliases": ["gold"] })).await;
    for number in 6..9 {
        kp.create(&json!({ "name": format!("spare {number}"), "aliases": [format!("gold-{number}")] })).await;
    }
    kp.create(&json!({ "name": format!("copy of {gold}") })).await;
    let first = kp.names("search=gold").await;
    assert_eq!((first[0].as_str(), first.len()), ("gold key", 10));
    assert_eq!(kp.names("search=gold&sort=-creationDate").await[0], "gold key");
    assert_eq!(kp.names("search=gold&limit=1").await, ["gold key"]);
    assert_eq!(kp.names(&format!("search={gold}")).await, ["gold key".to_owned(), format!("copy of {gold}")]);
    assert_eq!(kp.names(&format!("search=name:{gold}")).await[0], "gold key");
}

#[actix_web::test]
async fn a_search_stays_within_state_and_kind() {
    let kp = Harness::frozen_at(NOON).await;
    four_kinds(&kp).await;
    assert_eq!(sorted(kp.names("search=e").await), ["blue", "green", "red"]);
    assert_eq!(sorted(kp.names("search=e&extractable=false").await), ["blue", "red"]);
    assert_eq!(kp.names("search=black").await, [""; 0]);
    assert_eq!(kp.names("search=black&state=5").await, ["black"]);
    assert_eq!(kp.names("search=alias:crimson&state=1").await, [""; 0]);
}

#[actix_web::test]
async fn a_search_over_more_than_5000_keys_is_too_broad_but_for_an_exact_look_up() {
    let kp = Harness::frozen_at(NOON).await;
    let needle = kp.create(&json!({ "name": "needle", "aliases": ["needle"] })).await;
    for _ in 0..500 {
        futures_util::future::join_all((0..10).map(|_| kp.create_root_key("hay"))).await;
    }
    let reply = kp.get("/api/v2/keys?search=hay").send().await;
    reply.refused(400, "KEY_SEARCH_TOO_BROAD");
    assert!(reply.error_msg().starts_with("Bad Request: Keys could not be retrieved: "), "{}", reply.error_msg());
    for search in ["needle", needle.as_str(), "alias:needle,"] {
        let list = kp.list(&format!("search={search}")).await;
        assert_eq!(list["metadata"]["incompleteSearch"], true, "{search}");
        assert_eq!(id_of(&list), needle);
        assert_eq!(list["metadata"]["collectionTotal"], 1);
    }
    assert_eq!(kp.names("search=needle&extractable=true").await, ["needle"]);
    // A caller who pages comes to an end.
    assert_eq!(kp.list("search=needle&offset=1").await["metadata"]["collectionTotal"], 0);
    let never = encoded("lastRotateDate=gte:\"2020-01-01T00:00:00Z\"");
    let narrow = kp.get(&format!("/api/v2/keys?search=hay&filter={never}")).send().await;
    narrow.refused(400, "KEY_SEARCH_TOO_BROAD");
    kp.get("/api/v2/keys?search=hay&extractable=false").send().await.succeeds(200);
    assert_eq!(kp.names("limit=5000").await.len(), 5_000);
    assert_eq!(kp.names("limit=5000&offset=5000").await.len(), 1);
}

#[actix_web::test]
async fn a_list_is_sorted_by_each_property_in_both_directions() {
    let kp = Harness::frozen_at(NOON).await;
    four_kinds(&kp).await;
    let all = "state=0,1,2,3,5";
    let cases: [(&str, &[&str]); 14] = [
        ("creationDate", &["red", "green", "blue", "black"]),
        ("-creationDate", &["black", "blue", "green", "red"]),
        ("state", &["green", "red", "blue", "black"]),
        ("-state", &["black", "blue", "red", "green"]),
        ("-extractable,creationDate", &["green", "red", "blue", "black"]),
        ("extractable,-creationDate", &["black", "blue", "red", "green"]),
        ("-imported,creationDate", &["black", "red", "green", "blue"]),
        ("imported,-creationDate", &["blue", "green", "red", "black"]),
        ("lastUpdateDate,creationDate", &["green", "red", "black", "blue"]),
        ("-lastUpdateDate,creationDate", &["blue", "red", "black", "green"]),
        ("-imported,lastRotateDate,creationDate", &["black", "blue", "red", "green"]),
        ("imported,-deletionDate,-creationDate", &["blue", "green", "red", "black"]),
        ("extractable,-expirationDate,creationDate", &["blue", "red", "black", "green"]),
        ("-extractable,deletionDate,lastRotateDate", &["green", "black", "blue", "red"]),
    ];
    for (sort, names) in cases {
        assert_eq!(kp.names(&format!("{all}&sort={sort}")).await, names, "{sort}");
    }
    let ids = |list: &Value| -> Vec<String> {
        list["resources"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut backwards = ids(&kp.list(&format!("{all}&sort=-id")).await);
    backwards.reverse();
    assert_eq!(backwards, ids(&kp.list(&format!("{all}&sort=id")).await));
}

#[actix_web::test]
async fn keys_without_the_property_come_last_in_both_directions() {
    let kp = Harness::frozen_at(NOON).await;
    four_kinds(&kp).await;
    for (property, name) in [("lastRotateDate", "blue"), ("deletionDate", "black"), ("expirationDate", "blue")] {
        let up = kp.names(&format!("state=0,1,2,3,5&sort={property}")).await;
        let down = kp.names(&format!("state=0,1,2,3,5&sort=-{property}")).await;
        assert_eq!((up[0].as_str(), down[0].as_str()), (name, name), "{property}");
        // Among those that lack it the id decides.
        assert_eq!(up, down, "{property}");
    }
}

#[actix_web::test]
async fn unknown_terms_of_sort_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for sort in ["name", "id,", "creationdate", "--id", "id,colour"] {
        refused_query(&kp, &format!("sort={sort}"), "sort").await;
    }
}

#[actix_web::test]
async fn filters_compare_dates_states_and_kinds() {
    let kp = Harness::frozen_at(NOON).await;
    four_kinds(&kp).await;
    let cases: [(&str, &[&str]); 25] = [
        ("creationDate=\"2026-01-01T12:00:00Z\"", &["red"]),
        ("creationDate=\"2026-01-01T14:00:00+02:00\"", &["red"]),
        ("creationDate=lt:\"2026-01-01T12:01:00Z\"", &["red"]),
        ("creationDate=lte:\"2026-01-01T12:01:00Z\"", &["green", "red"]),
        ("creationDate=gt:\"2026-01-01T12:01:00Z\"", &["blue"]),
        ("creationDate=gte:\"2026-01-01T12:01:00Z\"", &["blue", "green"]),
        (" creationDate=gte:\"2026-01-01T12:01:00.0000001Z\"", &["blue"]),
        ("creationDate=gte:\"2026-01-01T12:01:00Z\" creationDate=lt:\"2026-01-01T12:02:00Z\"", &["green"]),
        ("expirationDate=none", &["green", "red"]),
        ("expirationDate=NONE extractable=False", &["red"]),
        ("expirationDate=gt:\"2026-01-01T12:59:59Z\"", &["blue"]),
        ("lastRotateDate=none", &["green", "red"]),
        ("lastRotateDate=\"2026-01-01T12:04:00Z\"", &["blue"]),
        ("lastUpdateDate=\"2026-01-01T12:04:00Z\"", &["red"]),
        ("lastUpdateDate=gte:\"2026-01-01T12:04:00Z\"", &["blue", "red"]),
        ("deletionDate=gte:\"2026-01-01T00:00:00Z\"", &[]),
        ("deletionDate=gte:\"2026-01-01T00:00:00Z\" state=5", &["black"]),
        ("deletionDate=none", &["blue", "green", "red"]),
        ("creationDate=none", &[]),
        ("creationDate=\"2026-01-01T12:00:00.0000001Z\"", &[]),
        ("creationDate=\"2026-01-01T12:02:00.0000001Z\" lastRotateDate=gte:\"2026-01-01T12:04:00Z\"", &[]),
        ("state=1,2", &["green", "red"]),
        ("state=5", &["black"]),
        ("extractable=TRUE", &["green"]),
        ("extractable=false state=0,1,2,3,5 state=2,5", &["black", "red"]),
    ];
    for (filter, names) in cases {
        let query = format!("filter={}", encoded(filter));
        assert_eq!(sorted(kp.names(&query).await), names, "{filter}");
        assert_eq!(kp.total(&query).await, names.len().to_string(), "{filter}");
    }
    let thrice = ["creationDate=gte:\"2026-01-01T12:01:00Z\""; 3].join(" ");
    assert_eq!(sorted(kp.names(&format!("filter={}", encoded(&thrice))).await), ["blue", "green"]);
}

#[actix_web::test]
async fn filters_that_the_grammar_does_not_have_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let date = "\"2026-01-01T12:00:00Z\"";
    let four = [format!("creationDate=gte:{date}").as_str(); 4].join(" ");
    let unquoted = date.trim_matches('"');
    let wrong = [
        "creationDate=\"2022-03-16\"".to_owned(),
        format!("creationDate={unquoted}"),
        format!("creationDate=\"{unquoted}"),
        format!("creationDate=ge:{date}"),
        format!("birthday={date}"),
        "name=red".to_owned(),
        "state=gt:1".to_owned(),
        "state=4".to_owned(),
        "state=1,".to_owned(),
        "extractable=not:true".to_owned(),
        "extractable=\"true\"".to_owned(),
        "creationDate".to_owned(),
        "creationDate=".to_owned(),
        "state=none".to_owned(),
        four,
    ];
    for filter in wrong {
        let query = format!("filter={}", encoded(&filter));
        refused_query(&kp, &query, "filter").await;
        let reason = kp.get(&format!("/api/v2/keys?{query}")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
        let message = "The query_param `filter` must be: a valid filter query with a valid operator for a property \
                       specified after an \"=\" symbol";
        assert_eq!(reason["message"], message, "{filter}");
    }
}

#[actix_web::test]
async fn a_property_stands_in_the_filter_or_beside_it_not_both() {
    let kp = Harness::frozen_at(NOON).await;
    for query in ["state=1&filter=state%3D1", "extractable=true&filter=extractable%3Dtrue"] {
        kp.get(&format!("/api/v2/keys?{query}")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    }
    kp.list("state=1&filter=extractable%3Dtrue").await;
}

#[actix_web::test]
async fn keys_of_another_instance_are_not_there() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("red").await;
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let second = second["guid"].as_str().unwrap();
    let list = kp.get("/api/v2/keys").header("bluemix-instance", second).send().await.succeeds(200);
    assert_eq!(list["metadata"]["collectionTotal"], 0);
    let path = format!("/api/v2/keys/{key}");
    kp.get(&path).header("bluemix-instance", second).send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.delete(&path).header("bluemix-instance", second).send().await.refused(404, "KEY_NOT_FOUND_ERR");
}
