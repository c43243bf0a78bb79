//! Ends connections on which nothing happens: actix times the first head of a connection only, so one that sends half of
//! a second head would stay for ever.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as Stream;

/// Real time without a request after which a connection is ended; also the keep-alive time. Source:
/// `docs/contract/reliability.md` T-20.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(25);
/// How often the watchdog looks, real time: one beat.
pub(crate) const BEAT: Duration = Duration::from_secs(1);

/// Real time that a peer may take nothing of what it is sent.
const UNREAD_MAX_MILLIS: u32 = 30_000;

/// All open connections, and a coarse clock of beats.
#[derive(Default)]
pub(crate) struct Watchdog {
    beats: Arc<AtomicU64>,
    open: Mutex<Vec<Weak<Connection>>>,
}

/// An open connection, as its requests see it.
pub(crate) struct Connection {
    /// A second handle on the socket: actix keeps the first.
    socket: TcpStream,
    beats: Arc<AtomicU64>,
    under_way: AtomicU64,
    last_beat: AtomicU64,
}

impl Connection {
    /// Notes that a request has begun; the guard's end notes that it is over.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// Ends it, whatever is under way.
    pub(crate) fn end(&self) {
        // The peer may have closed it at this moment.
        drop(self.socket.shutdown(Shutdown::Both));
    }
}

/// A request on a connection.
pub(crate) struct UnderWay(Arc<Connection>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.last_beat.store(self.0.beats.load(Ordering::Relaxed), Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets the system end a connection whose peer takes no more of a reply. Elsewhere than on Linux it stays.
fn limit_silence(stream: &Stream) {
    #[cfg(target_os = "linux")]
    if let Err(fault) = rustix::net::sockopt::set_tcp_user_timeout(stream, UNREAD_MAX_MILLIS) {
        tracing::debug!(%fault, "a peer may hold this connection for as long as it likes");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, UNREAD_MAX_MILLIS);
}

impl Watchdog {
    /// Takes a new connection in; called by the server for each.
    pub(crate) fn watch(&self, io: &dyn Any, data: &mut Extensions) {
        let encrypted = || io.downcast_ref::<TlsStream<Stream>>().map(|stream| stream.get_ref().0);
        let Some(stream) = io.downcast_ref::<Stream>().or_else(encrypted) else { return };
        limit_silence(stream);
        // Out of descriptors, the connection is served without a watch.
        let Ok(second) = stream.as_fd().try_clone_to_owned() else { return };
        let connection = Arc::new(Connection {
            socket: TcpStream::from(second),
            beats: Arc::clone(&self.beats),
            under_way: AtomicU64::new(0),
            last_beat: AtomicU64::new(self.beats.load(Ordering::Relaxed)),
        });
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&connection));
        data.insert(connection);
    }

    /// One beat: ends what has been idle for too long.
    pub(crate) fn beat(&self) {
        let now = self.beats.fetch_add(1, Ordering::Relaxed) + 1;
        let idle_max = IDLE_MAX.as_secs() / BEAT.as_secs();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).retain(|connection| {
            let Some(connection) = connection.upgrade() else { return false };
            let idle = now.saturating_sub(connection.last_beat.load(Ordering::Relaxed)) > idle_max;
            if idle && connection.under_way.load(Ordering::Relaxed) == 0 {
                connection.end();
                return false;
            }
            true
        });
    }

    /// Ends all connections without a request.
    pub(crate) fn end_idle(&self) {
        for connection in self.open.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            if connection.under_way.load(Ordering::Relaxed) == 0 {
                connection.end();
            }
        }
    }
}
