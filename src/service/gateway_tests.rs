//! The storage gateway's own subscriber over starts of the service, with and without a gateway.

use std::path::Path;
use std::sync::Arc;

use crate::app::App;
use crate::app::subscribers::{self, SubscriberRefusal};
use crate::config::{Config, Invocation};
use crate::domain::subscriber::GATEWAY;
use crate::service::data_folder::DataFolder;
use crate::service::open;

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
