//! Reads of objects: whole, a range, or their headers alone.

use crate::cos::app::CosApp;
use crate::cos::app::body::Outgoing;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::object::{Object, ObjectKey};
use crate::cos::domain::range::{ByteRange, Window};

/// What is to be read of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) conditions: Conditions,
    pub(crate) range: Option<ByteRange>,
    /// `partNumber`; with a range: `InvalidRequest`.
    pub(crate) part: Option<u32>,
}

/// An object that was found.
pub(crate) enum Found<B> {
    /// 304.
    NotModified(Object),
    /// 200, or 206 with a window.
    Object { object: Object, window: Option<Window>, body: B },
}

impl CosApp {
    /// Reads an object.
    ///
    /// # Errors
    /// `NoSuchKey`, `AccessDenied` for an unusable root key, `PreconditionFailed`, `InvalidRange`.
    pub(crate) async fn get_object(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        wanted: &Wanted,
    ) -> Result<Found<Outgoing>, Error> {
        let _ = (cx, bucket, key, wanted);
        todo!()
    }

    /// Reads an object's headers; it needs the root key as a read does.
    ///
    /// # Errors
    /// As [`CosApp::get_object`].
    pub(crate) async fn head_object(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        wanted: &Wanted,
    ) -> Result<Found<()>, Error> {
        let _ = (cx, bucket, key, wanted);
        todo!()
    }
}
