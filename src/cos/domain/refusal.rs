//! The one list of what a client of the gateway may be refused for. Source: docs, common-headers-errors; S3's names where
//! IBM's table has none; `docs/contract/cos.md` 2.6.

use std::borrow::Cow;

macro_rules! codes {
    ($($code:ident $status:literal $message:literal,)*) => {
        /// An error code of S3.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Code {
            $(
                #[doc = concat!("Status ", $status, ": ", $message)]
                $code,
            )*
        }

        impl Code {
            /// The code's name on the wire.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code),)*
                }
            }

            /// The HTTP status.
            pub(crate) fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status,)*
                }
            }

            /// The message where nothing closer is known.
            pub(crate) fn message(self) -> &'static str {
                match self {
                    $(Self::$code => $message,)*
                }
            }
        }
    };
}

codes! {
    AccessDenied 403 "Access Denied",
    BadDigest 400 "The Content-MD5 or checksum you specified did not match what was received.",
    BucketAlreadyExists 409 "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Select a different name and try again.",
    BucketNotEmpty 409 "The bucket you tried to delete is not empty.",
    EntityTooLarge 400 "Your proposed upload exceeds the maximum allowed object size.",
    EntityTooSmall 400 "Your proposed upload is smaller than the minimum allowed object size.",
    IncompleteBody 400 "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    InternalError 500 "We encountered an internal error. Please try again.",
    InvalidAccessKeyId 403 "The access key ID you provided does not exist in our records.",
    InvalidArgument 400 "Invalid Argument",
    InvalidBucketName 400 "The specified bucket is not valid.",
    InvalidBucketState 409 "The request is not valid for the current state of the bucket.",
    InvalidDigest 400 "The Content-MD5 or checksum you specified is not valid.",
    InvalidLocationConstraint 400 "The specified location constraint is not valid.",
    InvalidPart 400 "One or more of the specified parts could not be found, or its entity tag does not match.",
    InvalidPartOrder 400 "The list of parts was not in ascending order. Parts must be ordered by part number.",
    InvalidRange 416 "The requested range cannot be satisfied.",
    InvalidRequest 400 "The request is not valid.",
    InvalidTag 400 "The tag provided is not valid.",
    KeyTooLong 400 "Your key is too long: 1,024 bytes at most.",
    MalformedXML 400 "The XML you provided was not well-formed or did not validate against our published schema.",
    MetadataTooLarge 400 "Your metadata headers exceed the maximum allowed metadata size of 2 KB.",
    MethodNotAllowed 405 "The specified method is not allowed against this resource.",
    MissingContentLength 411 "You must provide the Content-Length HTTP header.",
    MissingRequestBodyError 400 "Request body is empty.",
    NoSuchBucket 404 "The specified bucket does not exist.",
    NoSuchCORSConfiguration 404 "The CORS configuration does not exist.",
    NoSuchBucketPolicy 404 "The bucket policy does not exist.",
    NoSuchConfiguration 404 "The specified configuration does not exist.",
    NoSuchKey 404 "The specified key does not exist.",
    NoSuchLifecycleConfiguration 404 "The lifecycle configuration does not exist.",
    NoSuchPublicAccessBlockConfiguration 404 "The public access block configuration was not found.",
    NoSuchTagSet 404 "The TagSet does not exist.",
    NoSuchUpload 404 "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.",
    NoSuchWebsiteConfiguration 404 "The specified bucket does not have a website configuration.",
    NotImplemented 501 "A header or parameter you provided implies functionality that is not implemented.",
    ObjectLockConfigurationNotFoundError 404 "Object Lock configuration does not exist for this bucket.",
    OperationAborted 409 "A conflicting conditional operation is currently in progress against this resource. Try again.",
    PreconditionFailed 412 "At least one of the preconditions you specified did not hold.",
    ReplicationConfigurationNotFoundError 404 "The replication configuration was not found.",
    RequestTimeTooSkewed 403 "The difference between the request time and the server's time is too large.",
    RequestTimeout 400 "Your socket connection to the server was not read from or written to within the timeout period.",
    ServerSideEncryptionConfigurationNotFoundError 404 "The server side encryption configuration was not found.",
    ServiceUnavailable 503 "Reduce your request rate, or try again later.",
    SignatureDoesNotMatch 403 "The request signature we calculated does not match the signature you provided. Check your secret access key and signing method.",
    TooManyBuckets 400 "You have attempted to create more buckets than allowed.",
}

/// Why a request is refused, as the reply shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A [`Code`]'s name, or what the setting `cosKeyUnavailableCode` says.
    pub(crate) code: Cow<'static, str>,
    pub(crate) status: u16,
    pub(crate) message: Cow<'static, str>,
    /// The object's size, for `Content-Range: bytes */{size}` of [`Code::InvalidRange`].
    pub(crate) size: Option<u64>,
}

impl Refusal {
    /// With a message of its own.
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.name().into(), status: code.status(), message: message.into(), size: None }
    }

    /// True for that code.
    #[cfg(test)]
    pub(crate) fn is(&self, code: Code) -> bool {
        self.code == code.name()
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code, code.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_brings_its_status_and_message() {
        let refusal = Refusal::from(Code::NoSuchKey);
        assert_eq!((refusal.code.as_ref(), refusal.status), ("NoSuchKey", 404));
        assert_eq!(refusal.message, "The specified key does not exist.");
        assert!(refusal.is(Code::NoSuchKey) && !refusal.is(Code::NoSuchBucket));
    }
}
