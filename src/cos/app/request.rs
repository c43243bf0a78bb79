//! What a use case of the gateway knows of the request that called it, and who may do what with a bucket.

use std::net::IpAddr;
use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::domain::bucket::{Bucket, BucketName};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::store::buckets;
use crate::domain::access::Roles;
use crate::domain::caller::Caller;
use crate::domain::id::InstanceId;
use crate::domain::instance::{Instance, Service};
use crate::domain::time::Timestamp;

/// Made once per request, when credentials are found good.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The virtual clock, read once.
    pub(crate) now: Timestamp,
    /// `x-amz-request-id`: correlation id of all records.
    pub(crate) id: String,
    pub(crate) caller: Arc<Caller>,
    /// The storage instance that creation and listing of buckets are about: of the header, or of the HMAC credential.
    pub(crate) instance: Option<Arc<Instance>>,
    /// HMAC credentials belong to one instance and open its buckets alone.
    pub(crate) bound_to: Option<InstanceId>,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) peer: Option<IpAddr>,
}

/// What is to be done with a bucket or its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reader, Writer or Manager.
    Read,
    /// Writer or Manager.
    Write,
}

impl Access {
    fn roles(self) -> Roles {
        let write = Roles::WRITER.or(Roles::MANAGER);
        match self {
            Self::Read => write.or(Roles::READER),
            Self::Write => write,
        }
    }
}

impl CosApp {
    /// Finds a bucket for whoever may do that with it: the first step of every operation on a bucket, before its arguments
    /// are looked at.
    ///
    /// # Errors
    /// `InvalidBucketName`, `NoSuchBucket`, `AccessDenied`.
    pub(crate) async fn enter(&self, cx: &Request, name: &str, access: Access) -> Result<Arc<Bucket>, Error> {
        let name = BucketName::parse(name).ok_or(Code::InvalidBucketName)?;
        let bucket = self.read(move |tx| Ok(buckets::by_name(tx, &name)?)).await?.ok_or(Code::NoSuchBucket)?;
        let instance = self.app.memory.instances.get(bucket.instance).ok_or(Code::AccessDenied)?;
        self.permit(cx, &instance, access)?;
        Ok(Arc::new(bucket))
    }

    /// Allows something on a storage instance and its buckets, or refuses it.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn permit(&self, cx: &Request, instance: &Instance, access: Access) -> Result<(), Refusal> {
        let own = instance.account == cx.caller.account && cx.bound_to.is_none_or(|bound| bound == instance.id);
        let allowed = own
            && instance.is_active()
            && instance.service == Service::ObjectStorage
            && self.app.rights(&cx.caller, instance).whole.meets(access.roles());
        if allowed { Ok(()) } else { Err(Code::AccessDenied.into()) }
    }

    /// The storage instance that the request names.
    ///
    /// # Errors
    /// `InvalidArgument` when it names none; `AccessDenied`.
    pub(super) fn named_instance(&self, cx: &Request, access: Access) -> Result<Arc<Instance>, Refusal> {
        let Some(instance) = &cx.instance else {
            let why =
                "The header ibm-service-instance-id is missing: the CRN or the GUID of a service instance is needed.";
            return Err(Refusal::new(Code::InvalidArgument, why));
        };
        self.permit(cx, instance, access)?;
        Ok(Arc::clone(instance))
    }
}
