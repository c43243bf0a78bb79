//! Looks a receiver's name up for each connection, so that a name that leads elsewhere after it was checked gains
//! nothing.

use std::net::SocketAddr;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::app::receivers::{Receivers, ResolveError};

/// Lets through the addresses that webhooks may go to.
#[derive(Clone)]
pub(crate) struct Resolver(pub(crate) Receivers);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self(receivers) = self.clone();
        Box::pin(async move {
            let found = receivers.resolve(name.as_str()).await?;
            let addresses: Vec<SocketAddr> = found.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}
