//! The ceiling: routes, parses the body, decodes base64, seals or opens with one fixed expanded key, and replies.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::Deserialize;

use crate::Outcome;

/// The hidden argument that makes the benchmark binary be the bare loop.
pub(crate) const ARGUMENT: &str = "--bare-loop";

/// The most bytes of base64 that the bare loop takes; the benchmark sends far less.
const DECODED_BYTES_MAX: usize = 512;

/// How long an idle connection stays open, as in the service.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

static CORRELATION_ID: HeaderName = HeaderName::from_static("correlation-id");
static KEY_ACTION: HeaderValue = HeaderValue::from_static("application/vnd.ibm.kms.key_action+json");

/// The one key and the nonces given out under it.
struct Sealer {
    key: LessSafeKey,
    nonces: AtomicU64,
}

#[derive(Deserialize)]
struct WrapBody<'a> {
    plaintext: &'a str,
}

#[derive(Deserialize)]
struct UnwrapBody<'a> {
    ciphertext: &'a str,
}

/// What the ciphertext's base64 holds.
#[derive(Deserialize)]
struct Sealed<'a> {
    ciphertext: &'a str,
    iv: &'a str,
}

/// Serves on a free port, which it prints as its first line, until its standard input ends.
pub(crate) fn run() -> Outcome<()> {
    let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(|_| "the bare loop's key is no AES-256 key")?;
    let sealer = web::Data::new(Sealer { key: LessSafeKey::new(key), nonces: AtomicU64::new(0) });
    std::thread::spawn(|| {
        // Whether it ends or fails, the benchmark is gone, and nobody else would stop this process.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(sealer.clone())
                .route("/api/v2/keys/{id}/actions/wrap", web::post().to(wrap))
                .route("/api/v2/keys/{id}/actions/unwrap", web::post().to(unwrap))
        })
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let port = server.addrs().first().ok_or("the bare loop has no port")?.port();
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{port}")?;
        stdout.flush()?;
        server.run().await?;
        Ok(())
    })
}

async fn wrap(request: HttpRequest, sealer: web::Data<Sealer>, body: Bytes) -> HttpResponse {
    let id = request.match_info().get("id").unwrap_or_default();
    reply(&request, sealer.wrap(id, &body))
}

async fn unwrap(request: HttpRequest, sealer: web::Data<Sealer>, body: Bytes) -> HttpResponse {
    let id = request.match_info().get("id").unwrap_or_default();
    reply(&request, sealer.unwrap(id, &body))
}

impl Sealer {
    /// The body of a wrap reply, `None` when the request cannot be read.
    fn wrap(&self, id: &str, body: &[u8]) -> Option<String> {
        let body: WrapBody = serde_json::from_slice(body).ok()?;
        let mut buffer = [0; DECODED_BYTES_MAX];
        let length = STANDARD.decode_slice(body.plaintext, &mut buffer).ok()?;
        let (plaintext, rest) = buffer.split_at_mut_checked(length)?;
        let iv = self.next_iv();
        let tag =
            self.key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), plaintext).ok()?;
        rest.get_mut(..tag.as_ref().len())?.copy_from_slice(tag.as_ref());
        let sealed = buffer.get(..length + tag.as_ref().len())?;

        let mut envelope = String::with_capacity(sealed.len() * 2 + 128);
        envelope.push_str(r#"{"ciphertext":""#);
        STANDARD.encode_string(sealed, &mut envelope);
        envelope.push_str(r#"","iv":""#);
        STANDARD.encode_string(iv, &mut envelope);
        envelope.push_str(r#"","version":"4.0.0","handle":""#);
        envelope.push_str(id);
        envelope.push_str(r#""}"#);

        let mut reply = String::with_capacity(envelope.len() * 3 / 2 + 96);
        reply.push_str(r#"{"ciphertext":""#);
        STANDARD.encode_string(&envelope, &mut reply);
        finish(&mut reply, id);
        Some(reply)
    }

    /// The body of an unwrap reply, `None` when the request cannot be read or opened.
    fn unwrap(&self, id: &str, body: &[u8]) -> Option<String> {
        let body: UnwrapBody = serde_json::from_slice(body).ok()?;
        let mut envelope = [0; DECODED_BYTES_MAX];
        let length = STANDARD.decode_slice(body.ciphertext, &mut envelope).ok()?;
        let sealed: Sealed = serde_json::from_slice(envelope.get(..length)?).ok()?;
        let mut iv = [0; NONCE_LEN];
        if STANDARD.decode_slice(sealed.iv, &mut iv).ok()? != NONCE_LEN {
            return None;
        }
        let mut buffer = [0; DECODED_BYTES_MAX];
        let length = STANDARD.decode_slice(sealed.ciphertext, &mut buffer).ok()?;
        let plaintext =
            self.key.open_in_place(Nonce::assume_unique_for_key(iv), Aad::empty(), buffer.get_mut(..length)?).ok()?;

        let mut reply = String::with_capacity(plaintext.len() * 2 + 96);
        reply.push_str(r#"{"plaintext":""#);
        STANDARD.encode_string(plaintext, &mut reply);
        finish(&mut reply, id);
        Some(reply)
    }

    /// A counter: unique, for the key lives and dies with this process.
    fn next_iv(&self) -> [u8; NONCE_LEN] {
        let count = self.nonces.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut iv = [0; NONCE_LEN];
        for (to, from) in iv.iter_mut().rev().zip(count.iter().rev()) {
            *to = *from;
        }
        iv
    }
}

/// Ends a reply's text value and adds the key version.
fn finish(reply: &mut String, id: &str) {
    reply.push_str(r#"","keyVersion":{"id":""#);
    reply.push_str(id);
    reply.push_str(r#""}}"#);
}

fn reply(request: &HttpRequest, body: Option<String>) -> HttpResponse {
    let Some(body) = body else {
        return HttpResponse::BadRequest().finish();
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((&CONTENT_TYPE, &KEY_ACTION));
    if let Some(correlation) = request.headers().get(&CORRELATION_ID) {
        response.insert_header((&CORRELATION_ID, correlation));
    }
    response.body(body)
}
