//! A request whose credentials are good, as its handler sees it.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};

use crate::cos::app::CosApp;
use crate::cos::app::body::Upload;
use crate::cos::app::error::Error;
use crate::cos::app::request::{Access, Request};
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::address::Address;
use crate::cos::http::body::{self, Body};
use crate::cos::http::chunked::{Chain, Decoder};
use crate::cos::http::headers;
use crate::cos::http::query::Query;
use crate::cos::http::xml::Element;

/// A request on its way to a use case.
pub(crate) struct Call<'a> {
    pub(crate) cos: &'a CosApp,
    pub(crate) request: &'a HttpRequest,
    pub(crate) query: &'a Query,
    pub(crate) address: &'a Address,
    pub(crate) cx: Request,
    pub(crate) body: Body,
    pub(crate) chain: Option<Chain>,
}

/// Whether a document must come with something that guards it on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// `Content-MD5` or a checksum.
    Needed,
    Free,
}

impl Call<'_> {
    /// The request's headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The bucket that the request names, for whoever may do that with it.
    ///
    /// # Errors
    /// `InvalidBucketName`, `NoSuchBucket`, `AccessDenied`.
    pub(crate) async fn enter(&self, access: Access) -> Result<Arc<Bucket>, Error> {
        self.cos.enter(&self.cx, self.address.bucket().unwrap_or_default(), access).await
    }

    /// The object's key that the request names.
    ///
    /// # Errors
    /// `InvalidRequest` never: routes of objects have one.
    pub(crate) fn key(&self) -> Result<&ObjectKey, Refusal> {
        match self.address {
            Address::Object(_, key) => Ok(key),
            Address::Service | Address::Bucket(_) => Err(Code::InvalidRequest.into()),
        }
    }

    /// The body as an upload, with what it is checked against.
    ///
    /// # Errors
    /// `InvalidDigest`, `InvalidRequest`, `InvalidArgument` for headers that cannot be read.
    pub(crate) fn upload(&mut self) -> Result<Upload, Refusal> {
        let headers = self.request.headers();
        let checks = headers::checks(headers)?;
        if headers::is_chunked(headers) {
            let length = headers::number(headers, "x-amz-decoded-content-length")?;
            let decoder = Decoder::new(self.chain.take(), length, checks.trailing.clone());
            return Ok(self.body.upload(checks, length, Some(decoder)));
        }
        if !checks.trailing.is_empty() {
            let why = "x-amz-trailer needs a body that is framed as aws-chunked.";
            return Err(Refusal::new(Code::InvalidRequest, why));
        }
        let length = headers::number(headers, CONTENT_LENGTH.as_str())?;
        Ok(self.body.upload(checks, length, None))
    }

    /// Refuses an upload that tells nothing of its length.
    ///
    /// # Errors
    /// `MissingContentLength`.
    pub(crate) fn has_length(&self) -> Result<(), Refusal> {
        let told = [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| self.headers().contains_key(name));
        if told { Ok(()) } else { Err(Code::MissingContentLength.into()) }
    }

    /// The body as an XML document with that root.
    ///
    /// # Errors
    /// `InvalidRequest` without the integrity that is needed; `MissingRequestBodyError`, `MalformedXML`, `BadDigest`.
    pub(crate) async fn document(&mut self, root: &str, integrity: Integrity) -> Result<Element, Error> {
        let upload = self.upload()?;
        if integrity == Integrity::Needed && !upload.checks.guard() {
            let why =
                "Missing required header for this request: Content-MD5 or a checksum such as x-amz-checksum-crc32.";
            return Err(Refusal::new(Code::InvalidRequest, why).into());
        }
        let bytes = body::document(upload).await?;
        Ok(Element::parse(&bytes, root)?)
    }

    /// The same for a document whose request brings checksums of something else: of the object that it is about.
    ///
    /// # Errors
    /// As [`Call::document`].
    pub(crate) async fn document_about_object(&mut self, root: &str) -> Result<Element, Error> {
        let length = headers::number(self.headers(), CONTENT_LENGTH.as_str())?;
        let checks = headers::checks_of_bytes(self.headers())?;
        let bytes = body::document(self.body.upload(checks, length, None)).await?;
        Ok(Element::parse(&bytes, root)?)
    }

    /// The body as bytes, for a document that may be left out.
    ///
    /// # Errors
    /// As [`Call::document`].
    pub(crate) async fn optional_document(&mut self, root: &str) -> Result<Option<Element>, Error> {
        let upload = self.upload()?;
        let bytes = body::document(upload).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) { Ok(None) } else { Ok(Some(Element::parse(&bytes, root)?)) }
    }

    /// Refuses any version but the one that objects have without versioning.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn only_version(&self) -> Result<(), Refusal> {
        only_version(self.query.get("versionId"))
    }
}

/// Refuses any version but the one that objects have without versioning.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn only_version(version: Option<&str>) -> Result<(), Refusal> {
    match version {
        None | Some("null" | "") => Ok(()),
        Some(_) => Err(Refusal::new(Code::InvalidArgument, "Invalid version id specified")),
    }
}
