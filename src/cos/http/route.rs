//! The one table of what can be asked for: method, level and sub-resource decide the operation. What is not in it is
//! refused before anything else could be taken for it.

use actix_web::http::Method;

use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::address::Address;
use crate::cos::http::query::{Query, is_of_signature};

/// What a request is about, in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Service,
    Bucket,
    Object,
}

macro_rules! operations {
    ($($operation:ident,)*) => {
        /// Operations, by S3's names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Operation {
            $(
                #[doc = concat!("`", stringify!($operation), "`")]
                $operation,
            )*
        }

        impl Operation {
            /// S3's name.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$operation => stringify!($operation),)*
                }
            }
        }
    };
}

operations! {
    ListBuckets,
    CreateBucket,
    HeadBucket,
    DeleteBucket,
    GetBucketLocation,
    GetBucketVersioning,
    PutBucketVersioning,
    GetBucketAcl,
    PutBucketAcl,
    GetBucketProtectionConfiguration,
    PutBucketProtectionConfiguration,
    GetAbsentConfiguration,
    PutAbsentConfiguration,
    ListObjects,
    ListObjectsV2,
    ListMultipartUploads,
    DeleteObjects,
    PutObject,
    CopyObject,
    GetObject,
    HeadObject,
    DeleteObject,
    GetObjectAcl,
    PutObjectAcl,
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
    ListLegalHolds,
    ChangeLegalHold,
    ExtendObjectRetention,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    ListParts,
    CompleteMultipartUpload,
    AbortMultipartUpload,
}

/// Sub-resources of a bucket that are always absent here, with the code that says so.
const ABSENT: [(&str, Code); 11] = [
    ("cors", Code::NoSuchCORSConfiguration),
    ("lifecycle", Code::NoSuchLifecycleConfiguration),
    ("website", Code::NoSuchWebsiteConfiguration),
    ("publicAccessBlock", Code::NoSuchPublicAccessBlockConfiguration),
    ("replication", Code::ReplicationConfigurationNotFoundError),
    ("object-lock", Code::ObjectLockConfigurationNotFoundError),
    ("tagging", Code::NoSuchTagSet),
    ("policy", Code::NoSuchBucketPolicy),
    ("encryption", Code::ServerSideEncryptionConfigurationNotFoundError),
    ("logging", Code::NoSuchConfiguration),
    ("notification", Code::NoSuchConfiguration),
];

/// A line of the table: method, level, sub-resource or none, further parameters that the operation reads.
type Line = (Method, Level, Option<&'static str>, &'static [&'static str], Operation);

const LISTING: &[&str] = &[
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "marker",
    "start-after",
    "continuation-token",
    "encoding-type",
    "fetch-owner",
];
const UPLOADS: &[&str] = &["prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"];

const TABLE: [Line; 31] = [
    (Method::GET, Level::Service, None, &["extended", "prefix", "marker", "max-keys"], Operation::ListBuckets),
    (Method::PUT, Level::Bucket, None, &[], Operation::CreateBucket),
    (Method::HEAD, Level::Bucket, None, &[], Operation::HeadBucket),
    (Method::DELETE, Level::Bucket, None, &[], Operation::DeleteBucket),
    (Method::GET, Level::Bucket, None, LISTING, Operation::ListObjects),
    (Method::GET, Level::Bucket, Some("location"), &[], Operation::GetBucketLocation),
    (Method::GET, Level::Bucket, Some("versioning"), &[], Operation::GetBucketVersioning),
    (Method::PUT, Level::Bucket, Some("versioning"), &[], Operation::PutBucketVersioning),
    (Method::GET, Level::Bucket, Some("acl"), &[], Operation::GetBucketAcl),
    (Method::PUT, Level::Bucket, Some("acl"), &[], Operation::PutBucketAcl),
    (Method::GET, Level::Bucket, Some("protection"), &[], Operation::GetBucketProtectionConfiguration),
    (Method::PUT, Level::Bucket, Some("protection"), &[], Operation::PutBucketProtectionConfiguration),
    (Method::GET, Level::Bucket, Some("uploads"), UPLOADS, Operation::ListMultipartUploads),
    (Method::POST, Level::Bucket, Some("delete"), &[], Operation::DeleteObjects),
    (Method::PUT, Level::Object, None, &[], Operation::PutObject),
    (Method::GET, Level::Object, None, &["partNumber", "versionId"], Operation::GetObject),
    (Method::HEAD, Level::Object, None, &["partNumber", "versionId"], Operation::HeadObject),
    (Method::DELETE, Level::Object, None, &["versionId"], Operation::DeleteObject),
    (Method::GET, Level::Object, Some("acl"), &[], Operation::GetObjectAcl),
    (Method::PUT, Level::Object, Some("acl"), &[], Operation::PutObjectAcl),
    (Method::GET, Level::Object, Some("tagging"), &["versionId"], Operation::GetObjectTagging),
    (Method::PUT, Level::Object, Some("tagging"), &["versionId"], Operation::PutObjectTagging),
    (Method::DELETE, Level::Object, Some("tagging"), &["versionId"], Operation::DeleteObjectTagging),
    (Method::GET, Level::Object, Some("legalHold"), &[], Operation::ListLegalHolds),
    (Method::POST, Level::Object, Some("legalHold"), &["add", "remove"], Operation::ChangeLegalHold),
    (Method::POST, Level::Object, Some("extendRetention"), &[], Operation::ExtendObjectRetention),
    (Method::POST, Level::Object, Some("uploads"), &[], Operation::CreateMultipartUpload),
    (Method::PUT, Level::Object, Some("uploadId"), &["partNumber"], Operation::UploadPart),
    (
        Method::GET,
        Level::Object,
        Some("uploadId"),
        &["max-parts", "part-number-marker", "encoding-type"],
        Operation::ListParts,
    ),
    (Method::POST, Level::Object, Some("uploadId"), &[], Operation::CompleteMultipartUpload),
    (Method::DELETE, Level::Object, Some("uploadId"), &[], Operation::AbortMultipartUpload),
];

/// The operation that a request asks for. `copies`: true when `x-amz-copy-source` came.
///
/// # Errors
/// `NotImplemented` for a sub-resource or parameter that is not known, `MethodNotAllowed` where the method does not fit.
pub(crate) fn operation(method: &Method, address: &Address, query: &Query, copies: bool) -> Result<Operation, Refusal> {
    let level = match address {
        Address::Service => Level::Service,
        Address::Bucket(_) => Level::Bucket,
        Address::Object(..) => Level::Object,
    };
    let here = |line: &&Line| line.1 == level;
    let of_sub_resource = |line: &&Line| line.2.is_some_and(|name| query.has(name));
    if level == Level::Bucket && absent(query).is_some() {
        return match *method {
            Method::GET => Ok(Operation::GetAbsentConfiguration),
            Method::PUT | Method::DELETE => Ok(Operation::PutAbsentConfiguration),
            _ => Err(Code::MethodNotAllowed.into()),
        };
    }
    let named = TABLE.iter().filter(here).any(|line| of_sub_resource(&line));
    let mut lines =
        TABLE.iter().filter(here).filter(|line| if named { of_sub_resource(line) } else { line.2.is_none() });
    let line = lines.find(|line| line.0 == *method);
    let reads = |line: &Line, name: &str| line.2 == Some(name) || line.3.contains(&name);
    let known = |name: &str| match line {
        Some(line) => reads(line, name),
        None => TABLE.iter().filter(here).any(|line| reads(line, name)),
    };
    if let Some(name) = query.names().find(|name| !is_meaningless(name, query) && !known(name)) {
        return Err(Refusal::new(Code::NotImplemented, format!("The parameter {name} is not implemented.")));
    }
    let (_, _, _, _, operation) = line.ok_or(Code::MethodNotAllowed)?;
    let twins = [
        (Operation::ListObjects, Operation::ListObjectsV2, query.get("list-type") == Some("2")),
        (Operation::PutObject, Operation::CopyObject, copies),
        (Operation::UploadPart, Operation::UploadPartCopy, copies),
    ];
    let twin = twins.iter().find(|(plain, _, meant)| plain == operation && *meant);
    Ok(twin.map_or(*operation, |(_, twin, _)| *twin))
}

/// The code for a sub-resource of a bucket that is always absent.
pub(crate) fn absent(query: &Query) -> Option<Code> {
    ABSENT.iter().find(|(name, _)| query.has(name)).map(|(_, code)| *code)
}

/// Parameters that change nothing about what is asked for: those of signatures, headers of the reply, SDKs' marks.
fn is_meaningless(name: &str, query: &Query) -> bool {
    // A URL that is signed by version 2 repeats the headers that it is for.
    let repeated = matches!(name, "content-type" | "content-md5") && query.has("AWSAccessKeyId");
    name == "x-id" || is_of_signature(name) || name.starts_with("response-") || repeated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(method: &Method, path: &str, query: &str) -> Result<Operation, String> {
        let address = Address::parse("localhost", path).unwrap();
        let query = Query::parse(query).unwrap();
        operation(method, &address, &query, false).map_err(|refusal| refusal.code.into_owned())
    }

    #[test]
    fn the_sub_resource_decides_before_the_plain_operation() {
        let table = [
            (Method::GET, "/", "", Operation::ListBuckets),
            (Method::GET, "/", "extended&prefix=a", Operation::ListBuckets),
            (Method::PUT, "/b", "", Operation::CreateBucket),
            (Method::PUT, "/b", "protection", Operation::PutBucketProtectionConfiguration),
            (Method::PUT, "/b/", "acl=", Operation::PutBucketAcl),
            (Method::GET, "/b", "list-type=2&prefix=x", Operation::ListObjectsV2),
            (Method::GET, "/b", "list-type=1", Operation::ListObjects),
            (Method::GET, "/b", "uploads&prefix=x", Operation::ListMultipartUploads),
            (Method::GET, "/b", "cors", Operation::GetAbsentConfiguration),
            (Method::PUT, "/b", "lifecycle", Operation::PutAbsentConfiguration),
            (Method::POST, "/b", "delete=", Operation::DeleteObjects),
            (Method::PUT, "/b/k", "x-id=PutObject", Operation::PutObject),
            (Method::PUT, "/b/k", "partNumber=1&uploadId=u", Operation::UploadPart),
            (Method::GET, "/b/k", "response-content-type=a&X-Amz-Date=x", Operation::GetObject),
            (Method::GET, "/b/k", "AWSAccessKeyId=a&Signature=b&Expires=1", Operation::GetObject),
            (Method::PUT, "/b/k", "content-type=a&AWSAccessKeyId=a&Signature=b&Expires=1", Operation::PutObject),
            (Method::POST, "/b/k", "legalHold&add=x", Operation::ChangeLegalHold),
            (Method::DELETE, "/b/k", "uploadId=u", Operation::AbortMultipartUpload),
        ];
        for (method, path, query, expected) in table {
            assert_eq!(routed(&method, path, query), Ok(expected), "{method} {path}?{query}");
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_refused() {
        let table = [
            (Method::PUT, "/b", "anything", "NotImplemented"),
            (Method::PUT, "/b", "acl&anything", "NotImplemented"),
            (Method::PUT, "/b/k", "anything=1", "NotImplemented"),
            (Method::PUT, "/b/k", "partNumber=1", "NotImplemented"),
            (Method::PUT, "/b/k", "content-type=a", "NotImplemented"),
            (Method::GET, "/b", "versions", "NotImplemented"),
            (Method::POST, "/b/k", "restore", "NotImplemented"),
            (Method::POST, "/b/k", "", "MethodNotAllowed"),
            (Method::POST, "/b", "", "MethodNotAllowed"),
            (Method::PUT, "/", "", "MethodNotAllowed"),
            (Method::OPTIONS, "/b/k", "", "MethodNotAllowed"),
            (Method::DELETE, "/b", "protection", "MethodNotAllowed"),
            (Method::POST, "/b", "cors", "MethodNotAllowed"),
        ];
        for (method, path, query, expected) in table {
            assert_eq!(routed(&method, path, query), Err(expected.to_owned()), "{method} {path}?{query}");
        }
    }
}
