//! Listings of objects, in both versions.

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::list::{After, ObjectPage, ObjectsWanted, Token};
use crate::cos::app::request::Access;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::Object;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::call::Call;
use crate::cos::http::query::{self, Query};
use crate::cos::http::{reply, xml};

/// Keys and prefixes on one page. Source: docs, buckets.
const PAGE_MAX: u64 = 1_000;

/// How keys are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    AsTheyAre,
    /// `encoding-type=url`
    Url,
}

impl Encoding {
    /// Reads `encoding-type`.
    ///
    /// # Errors
    /// `InvalidArgument` for anything but `url`.
    pub(crate) fn of(query: &Query) -> Result<Self, Refusal> {
        match query.get("encoding-type") {
            None | Some("") => Ok(Self::AsTheyAre),
            Some(word) if word.eq_ignore_ascii_case("url") => Ok(Self::Url),
            Some(_) => Err(Refusal::new(Code::InvalidArgument, "encoding-type must be url.")),
        }
    }

    /// A key, a prefix or a marker as it goes out.
    pub(crate) fn write(self, text: &str) -> String {
        match self {
            Self::AsTheyAre => text.to_owned(),
            Self::Url => query::encode_path(text),
        }
    }

    /// Says so in a document.
    pub(crate) fn tell(self, document: &mut xml::Document) {
        if self == Self::Url {
            document.text("EncodingType", "url");
        }
    }
}

/// What both versions read.
struct Asked<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    max: u64,
    encoding: Encoding,
}

impl<'a> Asked<'a> {
    fn of(query: &'a Query) -> Result<Self, Refusal> {
        Ok(Self {
            prefix: query.get("prefix").unwrap_or_default(),
            delimiter: query.get("delimiter").unwrap_or_default(),
            max: query.number("max-keys")?.unwrap_or(PAGE_MAX).min(PAGE_MAX),
            encoding: Encoding::of(query)?,
        })
    }

    fn wanted(&self, after: After) -> ObjectsWanted {
        ObjectsWanted {
            prefix: self.prefix.to_owned(),
            delimiter: self.delimiter.to_owned(),
            after,
            max: usize::try_from(self.max).unwrap_or(usize::MAX),
        }
    }
}

/// `GET /{bucket}`
pub(crate) async fn first(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let asked = Asked::of(call.query)?;
    let marker = call.query.get("marker").unwrap_or_default();
    let after = if marker.is_empty() { After::Start } else { After::Key(marker.to_owned()) };
    let page = call.cos.list_objects(&call.cx, &bucket, asked.wanted(after)).await?;
    let mut document = begin(&bucket, &asked);
    document.text("Marker", &asked.encoding.write(marker));
    if let Some(next) = &page.next {
        document.text("NextMarker", &asked.encoding.write(next));
    }
    end(&mut document, &bucket, &page, &asked, Owners::Shown);
    Ok(answer(document, &bucket))
}

/// `GET /{bucket}?list-type=2`
pub(crate) async fn second(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let asked = Asked::of(call.query)?;
    let given = |name| call.query.get(name).filter(|text| !text.is_empty());
    let (token, start_after) = (call.query.get("continuation-token"), given("start-after"));
    let after = match (token, start_after) {
        (Some(token), _) => After::Token(Token::parse(token)?),
        (None, Some(start_after)) => After::Key(start_after.to_owned()),
        (None, None) => After::Start,
    };
    let page = call.cos.list_objects(&call.cx, &bucket, asked.wanted(after)).await?;
    let mut document = begin(&bucket, &asked);
    if let Some(start_after) = start_after {
        document.text("StartAfter", &asked.encoding.write(start_after));
    }
    document.maybe("ContinuationToken", token);
    document.maybe("NextContinuationToken", page.token().map(|token| token.text()).as_deref());
    document.number("KeyCount", page.objects.len() + page.prefixes.len());
    let owners = if call.query.get("fetch-owner") == Some("true") { Owners::Shown } else { Owners::LeftOut };
    end(&mut document, &bucket, &page, &asked, owners);
    Ok(answer(document, &bucket))
}

/// Whether entries tell their owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owners {
    Shown,
    LeftOut,
}

fn begin(bucket: &Bucket, asked: &Asked<'_>) -> xml::Document {
    let mut document = xml::Document::result("ListBucketResult");
    document.text("Name", bucket.name.as_str()).text("Prefix", &asked.encoding.write(asked.prefix));
    document
}

fn end(document: &mut xml::Document, bucket: &Bucket, page: &ObjectPage, asked: &Asked<'_>, owners: Owners) {
    document.number("MaxKeys", asked.max);
    if !asked.delimiter.is_empty() {
        document.text("Delimiter", &asked.encoding.write(asked.delimiter));
    }
    asked.encoding.tell(document);
    document.number("IsTruncated", page.next.is_some());
    let owner = Some(bucket.account.as_str()).filter(|_| owners == Owners::Shown);
    for object in &page.objects {
        document.element("Contents", |contents| entry(contents, object, asked.encoding, owner));
    }
    for prefix in &page.prefixes {
        document.element("CommonPrefixes", |common| {
            common.text("Prefix", &asked.encoding.write(prefix));
        });
    }
}

fn entry(contents: &mut xml::Document, object: &Object, encoding: Encoding, owner: Option<&str>) {
    contents
        .text("Key", &encoding.write(object.key.as_str()))
        .text("LastModified", &object.modified_at.rfc3339_millis())
        .text("ETag", &reply::quoted(&object.etag));
    if let Some(checksum) = object.checksums.first() {
        contents.text("ChecksumAlgorithm", checksum.algorithm.name()).text("ChecksumType", "FULL_OBJECT");
    }
    contents.number("Size", object.size);
    if let Some(owner) = owner {
        contents.element("Owner", |element| {
            element.text("ID", owner).text("DisplayName", owner);
        });
    }
    contents.text("StorageClass", "STANDARD");
}

fn answer(document: xml::Document, bucket: &Bucket) -> HttpResponse {
    let mut response = reply::xml(document);
    reply::put_root_key(&mut response, bucket);
    response
}
