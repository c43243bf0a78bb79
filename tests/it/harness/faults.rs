//! Faults that services of this process have logged.

use std::sync::{Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static WATCHING: OnceLock<()> = OnceLock::new();

struct Faults;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.extend([" ", field.name(), "=", &format!("{value:?}")]);
    }
}

impl<S: Subscriber> Layer<S> for Faults {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::ERROR && event.metadata().target().starts_with("mock_key_protect") {
            let mut text = Text(String::new());
            event.record(&mut text);
            // What a stop leaves undone is no fault, whoever tells of it.
            if !text.0.contains("for the service stops") {
                LOGGED.lock().unwrap().push(text.0);
            }
        }
    }
}

/// Starts to watch; later calls change nothing.
pub(crate) fn watch() {
    WATCHING.get_or_init(|| {
        let subscriber = tracing_subscriber::registry().with(Faults);
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    });
}

/// Asserts that nothing went wrong inside.
pub(crate) fn none_logged() {
    let logged = LOGGED.lock().unwrap().clone();
    assert!(logged.is_empty(), "faults were logged: {logged:?}");
}
