//! What SQLite makes of the statements behind each list: walks along indexes, never a look at every row.

use std::collections::BTreeSet;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::domain::access::{Visible, VisiblePart};
use crate::domain::context::RingScope;
use crate::domain::crn::CrnQuery;
use crate::domain::filter;
use crate::domain::id::{AdapterId, InstanceId, KeyId};
use crate::domain::kmip::Page as KmipPage;
use crate::domain::kmip::object::ObjectState;
use crate::domain::pattern::Pattern;
use crate::domain::search::Scope;
use crate::domain::selection::Selection;
use crate::domain::sort;
use crate::store::key_pages::{self, Window};
use crate::store::key_query::{self, Clause};
use crate::store::registrations::{self, Owner, Wanted};
use crate::store::tx::{PREPARED, Tx};
use crate::store::{key_counting, key_versions, kmip};

const INSTANCE: &str = "5a0f3c1e-8d2b-4f6a-9c47-1e7b2d9a4c60";
const KEY: &str = "02fd6835-6001-4482-a892-13bd2085f75d";
/// Tables that grow with what callers make.
const LARGE: [&str; 10] =
    ["keys", "k", "aliases", "a", "key_spans", "s", "registrations", "r", "key_versions", "kmip_objects"];

fn instance() -> InstanceId {
    InstanceId::parse(INSTANCE).unwrap()
}

/// A store with keys of all kinds.
fn filled() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    // As the service has it: plans do not depend on what is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    connection.execute_batch(include_str!("migrations/0001_core.sql")).unwrap();
    let sql = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4000)
         INSERT INTO keys (id, instance_id, ring_id, extractable, name, imported, bits, state, expires_at, created_at,
             created_by, updated_at, rotated_at, deleted_at, version_id, version_created_at, deleted_by, kind)
         SELECT printf('%08x-0000-4000-8000-%012x', n * 7919 % 4001, n), ?1, iif(n % 9 < 4, 'ledger', 'default'),
             n % 2, 'key ' || n, n % 3 = 0, 256, CASE n % 7 WHEN 0 THEN 5 WHEN 1 THEN 2 WHEN 2 THEN 3 ELSE 1 END,
             iif(n % 5 = 0, n * 3000, NULL), n / 10 * 1000, 'me', n / 10 * 1000, iif(n % 4 = 0, n * 2000, NULL),
             iif(n % 7 = 0, n * 4000, NULL), 'v', 0, iif(n % 7 = 0, 'me', NULL),
             CASE n % 7 WHEN 0 THEN 5 WHEN 1 THEN 2 WHEN 2 THEN 3 ELSE 1 END * 16 + n % 2 * 8 + (n % 3 = 0) * 4
                 + (n % 5 = 0) * 2 + (n % 4 = 0) FROM numbers";
    connection.execute(sql, [INSTANCE]).unwrap();
    connection.execute("UPDATE keys SET version_id = id", []).unwrap();
    connection
}

/// The statements that a job asks for, each with its plan.
fn plans_of(connection: &Connection, job: impl FnOnce(&Tx<'_>)) -> Vec<(String, Vec<String>)> {
    PREPARED.take();
    job(&Tx::new(connection));
    let plan = |sql: String| {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
        (sql, steps)
    };
    PREPARED.take().into_iter().collect::<BTreeSet<String>>().into_iter().map(plan).collect()
}

/// Asserts that no statement looks at every row of a large table, or sorts all that it finds, unless few were picked out by
/// a range.
fn assert_walks(form: &str, plans: &[(String, Vec<String>)]) {
    for (sql, steps) in plans {
        let mut picked = false;
        for step in steps {
            let few = step.contains("_at>?") || step.contains("keys_by_ring");
            picked = if step.starts_with("SEARCH") { few } else { picked };
            let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            assert!(scanned.is_none_or(|table| !LARGE.contains(&table)), "{form}: {step}\n{sql}");
            assert!(picked || step != "USE TEMP B-TREE FOR ORDER BY", "{form}: {steps:#?}\n{sql}");
        }
    }
}

fn selections() -> Vec<(String, Selection)> {
    let mut all = vec![("all".to_owned(), Selection::default())];
    for states in [vec![1], vec![2], vec![5], vec![0, 1, 2, 3, 5], vec![4]] {
        let name = format!("state {states:?}");
        all.push((name, Selection { states: Some(states), ..Selection::default() }));
    }
    all.push(("extractable".to_owned(), Selection { extractable: Some(true), ..Selection::default() }));
    for filter in [
        "creationDate=gte:\"1970-01-01T00:00:05Z\"",
        "lastUpdateDate=gte:\"1970-01-01T00:01:05Z\" state=1,2",
        "expirationDate=none lastRotateDate=none",
        "deletionDate=none extractable=false",
    ] {
        let filter = filter::parse(filter).unwrap();
        all.push((format!("{filter:?}"), Selection { filter, ..Selection::default() }));
    }
    for ring in ["ledger", "default", "nowhere at all"] {
        let scope = Some(RingScope::parse(ring));
        all.push((format!("ring {ring}"), Selection { ring: scope, ..Selection::default() }));
    }
    let part = |ring: Option<&str>, key: Option<&str>| VisiblePart {
        ring: ring.map(|ring| Pattern::Exact(ring.to_owned())),
        key: key.map(|key| Pattern::Wild(key.to_owned())),
    };
    for parts in [vec![part(Some("ledger"), None)], vec![part(None, Some("0000*"))], vec![]] {
        let visible = Visible::Some(parts);
        all.push((format!("{visible:?}"), Selection { visible, ..Selection::default() }));
    }
    all
}

const SORTS: [&str; 20] = [
    "id",
    "-id",
    "state",
    "-state",
    "extractable",
    "-extractable",
    "imported",
    "-imported",
    "creationDate",
    "-creationDate",
    "lastUpdateDate",
    "-lastUpdateDate",
    "lastRotateDate",
    "-lastRotateDate",
    "deletionDate",
    "-deletionDate",
    "expirationDate",
    "-expirationDate",
    "state,-creationDate,-extractable",
    "-imported,-id",
];

#[test]
fn pages_of_keys_walk_along_indexes() {
    let connection = filled();
    let window = Window { limit: 100, offset: 50 };
    for (form, selection) in selections() {
        for sort in SORTS {
            let terms = sort::parse(sort).unwrap();
            let plans = plans_of(&connection, |tx| {
                key_query::list(tx, instance(), &selection, &terms, window).unwrap();
            });
            assert_walks(&format!("{form} by {sort}"), &plans);
        }
        let plans = plans_of(&connection, |tx| {
            key_counting::count(tx, instance(), &selection).unwrap();
            key_pages::exceeds(tx, instance(), &selection, 5_000).unwrap();
            let scopes = [Scope::Name, Scope::Alias];
            key_query::candidates(tx, instance(), &selection, &scopes, 5_000).unwrap();
        });
        assert_walks(&form, &plans);
    }
}

#[test]
fn few_keys_that_lie_far_apart_are_picked_out_and_sorted() {
    let connection = filled();
    let filter = filter::parse("expirationDate=lt:\"1970-01-01T00:01:00Z\"").unwrap();
    let selection = Selection { filter, ..Selection::default() };
    let terms = sort::parse("-creationDate").unwrap();
    let plans = plans_of(&connection, |tx| {
        let page = key_query::list(tx, instance(), &selection, &terms, Window { limit: 10, offset: 0 }).unwrap();
        assert_eq!(page.iter().map(|key| key.created_at.millis()).collect::<Vec<_>>(), [1000, 1000, 0]);
    });
    assert!(
        plans.iter().any(|(sql, _)| sql.contains("INDEXED BY keys_by_expiration") && sql.contains("ORDER BY 1 DESC"))
    );
}

#[test]
fn a_crowd_of_one_date_is_not_sorted_for_a_page() {
    let connection = filled();
    connection.execute("UPDATE keys SET created_at = 1000", []).unwrap();
    let plans = plans_of(&connection, |tx| {
        let terms = sort::parse("-creationDate").unwrap();
        let window = Window { limit: 10, offset: 0 };
        assert_eq!(key_query::list(tx, instance(), &Selection::default(), &terms, window).unwrap().len(), 10);
    });
    let of_the_crowd = plans.iter().filter(|(sql, _)| sql.contains("k.created_at = 1000"));
    assert_eq!(of_the_crowd.clone().count(), 1);
    for (sql, steps) in of_the_crowd {
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:#?}\n{sql}");
    }
}

#[test]
fn what_a_kind_settles_is_not_looked_at_key_by_key() {
    let connection = filled();
    for (filter, index) in [
        ("lastRotateDate=none", "keys_by_kind"),
        ("expirationDate=none state=2", "keys_by_kind"),
        ("deletionDate=none extractable=true", "keys_by_kind"),
    ] {
        let selection = Selection { filter: filter::parse(filter).unwrap(), ..Selection::default() };
        let plans = plans_of(&connection, |tx| {
            let page: Vec<i64> =
                key_pages::page(tx, instance(), &selection, &[], Window { limit: 10, offset: 0 }).unwrap();
            assert_eq!(page.len(), 10);
            // Names are in the same index.
            key_query::candidates(tx, instance(), &selection, &[Scope::Alias], 5_000).unwrap();
        });
        let covering = format!("SEARCH k USING COVERING INDEX {index} (instance_id=? AND kind=?)");
        let walks = plans.iter().flat_map(|(_, steps)| steps).filter(|step| step.contains(" k "));
        for step in walks {
            assert_eq!(*step, covering, "{filter}");
        }
    }
}

/// The order that a list should have, computed the plain way.
fn plainly(connection: &Connection, order: &str, condition: &str) -> Vec<String> {
    let sql = format!("SELECT id FROM keys WHERE state <> 5 AND {condition} ORDER BY {order}, id LIMIT 100 OFFSET 950");
    let mut statement = connection.prepare(&sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn merged_walks_are_in_the_order_of_a_plain_sort() {
    let connection = filled();
    for (sort, order) in [
        ("id", "id"),
        ("-id", "id DESC"),
        ("-state,extractable", "state DESC, extractable"),
        ("-state,lastRotateDate", "state DESC, rotated_at NULLS LAST"),
        ("extractable,-expirationDate,-state", "extractable, expires_at DESC NULLS LAST, state DESC"),
        ("imported,-creationDate", "imported, created_at DESC"),
        ("creationDate", "created_at"),
        ("creationDate,-state", "created_at, state DESC"),
        ("creationDate,-id", "created_at, id DESC"),
        ("-creationDate,-lastRotateDate", "created_at DESC, rotated_at DESC NULLS LAST"),
        ("-lastUpdateDate", "updated_at DESC"),
        ("lastRotateDate", "rotated_at NULLS LAST"),
        ("-lastRotateDate", "rotated_at DESC NULLS LAST"),
        ("expirationDate,-lastRotateDate", "expires_at NULLS LAST, rotated_at DESC NULLS LAST"),
        ("-deletionDate,-expirationDate", "deleted_at DESC NULLS LAST, expires_at DESC NULLS LAST"),
    ] {
        for (ring, filter, condition) in [
            (None, "state=1,2,3", "1"),
            (Some("default"), "state=1,2,3", "ring_id = 'default'"),
            (None, "lastUpdateDate=gte:\"1970-01-01T00:01:00Z\"", "updated_at >= 60000"),
        ] {
            let filter = filter::parse(filter).unwrap();
            let selection = Selection { ring: ring.map(RingScope::parse), filter, ..Selection::default() };
            let terms = sort::parse(sort).unwrap();
            let window = Window { limit: 100, offset: 950 };
            let page = key_query::list(&Tx::new(&connection), instance(), &selection, &terms, window).unwrap();
            let ids: Vec<String> = page.iter().map(|key| key.id.to_string()).collect();
            assert_eq!(ids, plainly(&connection, order, condition), "{sort} {condition}");
        }
    }
}

#[test]
fn counts_are_those_of_a_plain_count() {
    let connection = filled();
    // Some keys come late to where others are, as those of concurrent requests.
    connection.execute("UPDATE keys SET created_at = created_at + 90 * 1000 WHERE seq % 97 = 0", []).unwrap();
    connection
        .execute_batch(
            "CREATE TEMP TABLE copy AS SELECT * FROM keys; DELETE FROM keys; DELETE FROM key_spans;
         INSERT INTO keys (seq, id, instance_id, ring_id, extractable, name, imported, bits, state, expires_at,
             created_at, created_by, updated_at, rotated_at, deleted_at, version_id, version_created_at, deleted_by, kind)
         SELECT seq * 7, id, instance_id, ring_id, extractable, name, imported, bits, state, expires_at, created_at,
             created_by, updated_at, rotated_at, deleted_at, version_id, version_created_at, deleted_by, kind
         FROM copy",
        )
        .unwrap();
    let ledger = Some(RingScope::parse("ledger"));
    for (filter, condition) in [
        ("creationDate=gte:\"1970-01-01T00:00:30Z\"", "state <> 5 AND created_at >= 30000"),
        ("creationDate=lt:\"1970-01-01T00:03:00Z\" state=1,5", "state IN (1, 5) AND created_at < 180000"),
        (
            "creationDate=gt:\"1970-01-01T00:01:40Z\" creationDate=lte:\"1970-01-01T00:05:00Z\"",
            "state <> 5 AND created_at > 100000 AND created_at <= 300000",
        ),
        ("creationDate=gt:\"1970-01-01T00:02:00Z\" creationDate=lt:\"1970-01-01T00:01:00Z\"", "0"),
        ("creationDate=none", "0"),
        ("lastUpdateDate=gte:\"1970-01-01T00:00:30Z\"", "state <> 5 AND updated_at >= 30000"),
        ("lastUpdateDate=\"1970-01-01T00:00:30Z\"", "state <> 5 AND updated_at = 30000"),
        ("lastRotateDate=gte:\"1970-01-01T00:00:30Z\"", "state <> 5 AND rotated_at >= 30000"),
        ("lastRotateDate=none expirationDate=none", "state <> 5 AND rotated_at IS NULL AND expires_at IS NULL"),
        (
            "expirationDate=lt:\"1970-01-01T02:00:00Z\" creationDate=gt:\"1970-01-01T00:01:00Z\"",
            "state <> 5 AND expires_at < 7200000 AND created_at > 60000",
        ),
        ("deletionDate=gte:\"1970-01-01T00:00:30Z\"", "0"),
        ("deletionDate=gte:\"1970-01-01T00:00:30Z\" state=5", "state = 5 AND deleted_at >= 30000"),
    ] {
        for (ring, in_ring) in [(None, "1"), (ledger.clone(), "ring_id = 'ledger'")] {
            let filter = filter::parse(filter).unwrap();
            let selection = Selection { ring, filter, ..Selection::default() };
            let sql = format!("SELECT count(*) FROM keys WHERE {condition} AND {in_ring}");
            let plain: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            let count = key_counting::count(&Tx::new(&connection), instance(), &selection).unwrap();
            assert_eq!(count, plain, "{condition} {in_ring}");
        }
    }
}

#[test]
fn counts_are_kept_as_keys_come_change_and_go() {
    let connection = filled();
    connection
        .execute_batch(
            "UPDATE keys SET ring_id = 'other', state = 2, kind = 32 + kind % 16 WHERE seq % 11 = 0;
         UPDATE keys SET rotated_at = 5, kind = kind | 1 WHERE seq % 17 = 0;
         UPDATE keys SET state = state WHERE seq % 2 = 0;
         DELETE FROM keys WHERE seq % 13 = 0;",
        )
        .unwrap();
    for (table, columns) in
        [("key_counts", "instance_id, ring_id, kind"), ("key_spans", "instance_id, kind, seq >> 10")]
    {
        let kept = columns.replace("seq >> 10", "span");
        let sql = format!(
            "WITH counted AS (SELECT {columns}, count(*) FROM keys GROUP BY {columns}),
                 kept AS (SELECT {kept}, keys FROM {table} WHERE keys <> 0)
             SELECT count(*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept
                 UNION ALL SELECT * FROM kept EXCEPT SELECT * FROM counted)"
        );
        let differences: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(differences, 0, "{table}");
    }
    let outside = "SELECT count(*) FROM keys k WHERE NOT EXISTS (SELECT 1 FROM key_spans s WHERE s.kind = k.kind
        AND s.span = k.seq >> 10 AND k.created_at BETWEEN s.first AND s.last)";
    assert_eq!(connection.query_row(outside, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn other_lists_walk_along_indexes() {
    let connection = filled();
    let key = KeyId::parse(KEY).unwrap();
    let whole = Clause::of_keys(instance(), None, &Visible::All);
    let ring = Clause::of_keys(instance(), Some(&RingScope::parse("ledger")), &Visible::All);
    for owner in [Owner::Key(key), Owner::Instance(instance())] {
        for clause in [&whole, &ring] {
            let wanted = Wanted { counted: true, limit: 10, prevent_deletion: Some(true), ..Wanted::default() };
            let plans = plans_of(&connection, |tx| {
                registrations::page(tx, owner, clause, &wanted).unwrap();
            });
            assert_walks(&format!("registrations of {owner:?}"), &plans);
        }
        let resource = CrnQuery::parse("crn:v1:bluemix:public:cloud-object-storage:global:a/1:2:bucket:led*");
        let wanted = Wanted { counted: true, limit: 10, resource, ..Wanted::default() };
        let plans = plans_of(&connection, |tx| {
            registrations::page(tx, owner, &whole, &wanted).unwrap();
        });
        for (sql, steps) in &plans {
            assert!(steps.iter().any(|step| step.contains("resource_crn>? AND resource_crn<?")), "{steps:#?}\n{sql}");
        }
    }
    let plans = plans_of(&connection, |tx| {
        key_versions::page(tx, key, 10, 0).unwrap();
        let adapter = AdapterId::parse(KEY).unwrap();
        let page = KmipPage { limit: 10, offset: 0 };
        kmip::objects::list(tx, adapter, &ObjectState::LIVING, page).unwrap();
        kmip::objects::list(tx, adapter, &[ObjectState::Active], page).unwrap();
    });
    assert_walks("others", &plans);
}
