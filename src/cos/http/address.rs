//! Which bucket and which object a request is about: path style for every name, virtual-host style below `.localhost`.

use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::refusal::Refusal;
use crate::cos::http::query;

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Service,
    /// The name as it came.
    Bucket(String),
    Object(String, ObjectKey),
}

impl Address {
    /// Reads the raw path and the `Host` header. Nothing is normalized: doubled slashes and dots belong to the key.
    ///
    /// # Errors
    /// `KeyTooLong`; `InvalidArgument` for what is no UTF-8.
    pub(crate) fn parse(host: &str, raw_path: &str) -> Result<Self, Refusal> {
        let path = raw_path.strip_prefix('/').unwrap_or(raw_path);
        let (bucket, key) = match bucket_of_host(host) {
            Some(bucket) => (bucket, path),
            None => match path.split_once('/') {
                Some((bucket, key)) => (query::decode(bucket)?, key),
                None => (query::decode(path)?, ""),
            },
        };
        if bucket.is_empty() && key.is_empty() {
            return Ok(Self::Service);
        }
        if key.is_empty() {
            return Ok(Self::Bucket(bucket));
        }
        Ok(Self::Object(bucket, ObjectKey::parse(&query::decode(key)?)?))
    }

    /// The bucket's name, if one is named.
    pub(crate) fn bucket(&self) -> Option<&str> {
        match self {
            Self::Service => None,
            Self::Bucket(bucket) | Self::Object(bucket, _) => Some(bucket),
        }
    }

    /// `/{bucket}/{key}`, of a bucket `/{bucket}/`: as error bodies name it.
    pub(crate) fn resource(&self) -> String {
        match self {
            Self::Service => "/".to_owned(),
            Self::Bucket(bucket) => format!("/{bucket}/"),
            Self::Object(bucket, key) => format!("/{bucket}/{}", key.as_str()),
        }
    }
}

/// The labels before `.localhost`, without the port.
pub(crate) fn bucket_of_host(host: &str) -> Option<String> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".localhost").filter(|labels| !labels.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(bucket: &str, key: &str) -> Address {
        Address::Object(bucket.to_owned(), ObjectKey::parse(key).unwrap())
    }

    #[test]
    fn the_path_names_bucket_and_key_and_nothing_is_normalized() {
        let table = [
            ("/", Address::Service),
            ("/b", Address::Bucket("b".to_owned())),
            ("/b/", Address::Bucket("b".to_owned())),
            ("/b/k", object("b", "k")),
            ("/b//k", object("b", "/k")),
            ("/b/a//b/./c/../d/", object("b", "a//b/./c/../d/")),
            ("/b/a%2Fb%20c+d", object("b", "a/b c+d")),
            ("/b/%C3%BC%252F", object("b", "ü%2F")),
        ];
        for (path, expected) in table {
            assert_eq!(Address::parse("127.0.0.1:8491", path), Ok(expected), "{path}");
        }
    }

    #[test]
    fn hosts_below_localhost_name_the_bucket() {
        let table = [
            ("my.bucket.localhost:8491", "/k", object("my.bucket", "k")),
            ("b.LOCALHOST", "/", Address::Bucket("b".to_owned())),
            ("localhost:8491", "/b/k", object("b", "k")),
            ("s3.example.com", "/b/k", object("b", "k")),
            ("[::1]:8491", "/b/k", object("b", "k")),
        ];
        for (host, path, expected) in table {
            assert_eq!(Address::parse(host, path), Ok(expected), "{host}");
        }
    }

    #[test]
    fn keys_that_cannot_be_are_refused() {
        assert!(Address::parse("h", &format!("/b/{}", "k".repeat(1_025))).is_err());
        assert!(Address::parse("h", "/b/%FF").is_err());
    }
}
