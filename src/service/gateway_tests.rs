//! The storage gateway's own subscriber over starts of the service, with and without a gateway; and a gateway that fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;

use crate::app::subscribers::{self, SubscriberRefusal};
use crate::app::{App, builtin};
use crate::config::{Config, Invocation};
use crate::cos::app::CosApp;
use crate::cos::app::buckets::NewBucket;
use crate::cos::app::key_events::{KeyEvent, Taken};
use crate::cos::app::request::Request;
use crate::cos::domain::key_crn::KeyCrn;
use crate::cos::domain::key_info::{Cause, EventKind};
use crate::cos::key_protect::{DataKey, KeyCall, KeyProtect, KeyRefusal, UnwrappedKey, WrappedKey};
use crate::domain::access::Roles;
use crate::domain::caller::Caller;
use crate::domain::id::{InstanceId, VersionId};
use crate::domain::subscriber::GATEWAY;
use crate::service::data_folder::DataFolder;
use crate::service::open;
use crate::store::tx::Tx;

fn config(data: &Path) -> Box<Config> {
    let line = ["mock-key-protect", "--clock", "frozen", "--data-dir", data.to_str().unwrap()];
    let Invocation::Serve(config) = Invocation::parse(line) else { panic!("{line:?}") };
    config
}

/// Starts on the folder, with a gateway there or without; where the gateway's subscriber leads.
async fn start(config: &Config, gateway: Option<&str>) -> (Arc<App>, DataFolder, Option<String>) {
    let folder = DataFolder::open(config).unwrap();
    let app = open::open(config, &folder).unwrap().app;
    subscribers::place_gateway(&app, gateway.map(str::to_owned), app.clock.now()).await.unwrap();
    let url = url(&app).await;
    (app, folder, url)
}

async fn url(app: &App) -> Option<String> {
    let all = subscribers::list(app).await.unwrap();
    let own = all.into_iter().find(|one| one.name == GATEWAY)?;
    assert!(own.built_in);
    Some(own.url)
}

#[actix_web::test]
async fn the_gateways_subscriber_follows_the_port_and_stays_away_once_it_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder.path().join("data"));
    let urls = ["http://127.0.0.1:1/events", "http://127.0.0.1:2/events"];
    for url in urls {
        assert_eq!(start(&config, Some(url)).await.2.as_deref(), Some(url));
    }
    assert_eq!(start(&config, None).await.2, None, "nobody takes events there");
    {
        let (app, _folder, _) = start(&config, Some(urls[0])).await;
        let now = app.clock.now();
        let taken = subscribers::restore_gateway(&app, now).await;
        assert!(matches!(taken, Err(SubscriberRefusal::NameTaken)));
        let change = subscribers::SubscriberChange::default();
        let changed = subscribers::change(&app, GATEWAY.to_owned(), change, now).await;
        assert!(matches!(changed, Err(SubscriberRefusal::BuiltIn)));
        subscribers::remove(&app, GATEWAY.to_owned(), now).await.unwrap();
        assert_eq!(url(&app).await, None);
    }
    let (app, _folder, cut_off) = start(&config, Some(urls[1])).await;
    assert_eq!(cut_off, None, "it was cut off");
    subscribers::restore_gateway(&app, app.clock.now()).await.unwrap();
    assert_eq!(url(&app).await.as_deref(), Some(urls[1]));
}

/// Key Protect as a gateway sees it that only ever uses one key; `down`: it fails.
struct OneKey {
    version: VersionId,
    down: AtomicBool,
}

impl OneKey {
    fn wrapped(&self) -> Result<WrappedKey, KeyRefusal> {
        if self.down.load(Ordering::Relaxed) {
            return Err(KeyRefusal::Fault);
        }
        Ok(WrappedKey { ciphertext: "wrapped".to_owned(), version: self.version })
    }
}

impl KeyProtect for OneKey {
    fn wrap<'a>(&'a self, _: &'a KeyCall, _: &'a DataKey) -> BoxFuture<'a, Result<WrappedKey, KeyRefusal>> {
        Box::pin(async { self.wrapped() })
    }

    fn unwrap<'a>(&'a self, _: &'a KeyCall, _: &'a str) -> BoxFuture<'a, Result<UnwrappedKey, KeyRefusal>> {
        Box::pin(async { Err(KeyRefusal::Fault) })
    }

    fn rewrap<'a>(&'a self, _: &'a KeyCall, _: &'a str) -> BoxFuture<'a, Result<WrappedKey, KeyRefusal>> {
        Box::pin(async { self.wrapped() })
    }

    fn exists<'a>(&'a self, _: &'a KeyCrn) -> BoxFuture<'a, Result<bool, KeyRefusal>> {
        Box::pin(async { Ok(true) })
    }

    fn register(&self, _: &Tx<'_>, _: &KeyCall, _: VersionId) -> Result<(), KeyRefusal> {
        Ok(())
    }

    fn note_version(&self, _: &Tx<'_>, _: &KeyCall, _: VersionId) -> Result<(), KeyRefusal> {
        Ok(())
    }

    fn prevent_deletion(&self, _: &Tx<'_>, _: &KeyCall) -> Result<(), KeyRefusal> {
        Ok(())
    }

    fn deregister(&self, _: &Tx<'_>, _: &KeyCall) -> Result<(), KeyRefusal> {
        Ok(())
    }
}

/// Statement 16 of IBM's page on SSE-KP: the gateway's own failure is not logged by it, and the event comes again.
#[actix_web::test]
async fn a_gateway_that_fails_an_event_writes_nothing_and_takes_it_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder.path().join("data"));
    let (app, folder, _) = start(&config, None).await;
    let keys = Arc::new(OneKey { version: VersionId::from_random([7; 16]), down: AtomicBool::new(false) });
    let cos = CosApp::open(Arc::clone(&app), keys.clone(), folder.objects()).await.unwrap();
    let storage = InstanceId::parse(builtin::OBJECT_STORAGE_ID).unwrap();
    let instance = app.memory.instances.all().into_iter().find(|one| one.id == storage).unwrap();
    let now = app.clock.now();
    let cx = Request {
        now,
        id: "request".to_owned(),
        caller: Arc::new(Caller::new(builtin::owner(), builtin::ACCOUNT, Roles::MANAGER)),
        instance: Some(instance.clone()),
        bound_to: None,
        uri: String::new(),
        peer: None,
    };
    let key_crn = format!(
        "crn:v1:bluemix:public:kms:us-south:a/{}:{}:key:5c1f7a86-2c95-4b3e-8f10-5e6a9c7b2d34",
        builtin::ACCOUNT,
        builtin::KEY_PROTECT_ID
    );
    let wanted = NewBucket { root_key_crn: Some(key_crn.clone()), ..NewBucket::default() };
    cos.create_bucket(&cx, "ledger", wanted).await.unwrap();
    let event = KeyEvent {
        id: "event".to_owned(),
        kind: EventKind::Rotation,
        cause: Cause::Action,
        at: now,
        correlation: "rotation".to_owned(),
        resource: format!("{}:bucket:ledger", instance.crn().trim_end_matches("::")),
        key_crn,
        new_version: Some(keys.version),
    };
    let records = async || app.find_records(10, |one| one.action.ends_with("key-state.update")).await.unwrap().1;
    keys.down.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        assert!(cos.handle_key_event(event.clone(), now).await.is_err());
        assert_eq!(records().await, 0, "of its own failure it says nothing");
    }
    keys.down.store(false, Ordering::Relaxed);
    assert_eq!(cos.handle_key_event(event.clone(), now).await.unwrap(), Taken::Applied);
    assert_eq!(cos.handle_key_event(event, now).await.unwrap(), Taken::Repeated);
    assert_eq!(records().await, 1);
}
