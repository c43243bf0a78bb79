//! The bare server: routes, and streams between bodies and files, plainly or with MD5 and AES-256-GCM.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::web::{self, Bytes, Payload};
use actix_web::{App, HttpResponse, HttpServer};
use futures_util::{StreamExt, stream};
use md5::{Digest as _, Md5};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::Outcome;

/// The hidden argument that makes the benchmark binary be the bare server.
pub(crate) const ARGUMENT: &str = "--bare-loop";
/// Where bytes are stored as they come.
pub(crate) const PLAIN: &str = "/plain";
/// Where they are hashed and sealed.
pub(crate) const SEALED: &str = "/sealed";

/// Bytes in clear of a frame, and of what is read and written at once.
const FRAME_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;

/// How long an idle connection stays open, as in the service.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// The files, and the one key that they are sealed with.
struct Shelf {
    folder: PathBuf,
    key: LessSafeKey,
}

/// Serves on a free port, which it prints as its first line, until its standard input ends.
pub(crate) fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(|_| "the bare server's key is no AES-256 key")?;
    let shelf = web::Data::new(Shelf { folder: folder.path().to_owned(), key: LessSafeKey::new(key) });
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shelf.clone())
                .route(PLAIN, web::put().to(put_plain))
                .route(PLAIN, web::get().to(get_plain))
                .route(SEALED, web::put().to(put_sealed))
                .route(SEALED, web::get().to(get_sealed))
        })
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let port = server.addrs().first().ok_or("the bare server has no port")?.port();
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{port}")?;
        stdout.flush()?;
        let server = server.run();
        let handle = server.handle();
        std::thread::spawn(move || {
            // Whether it ends or fails, the benchmark is gone, and nobody else would stop this process.
            let _ = std::io::stdin().read(&mut [0]);
            drop(handle.stop(false));
        });
        server.await?;
        Ok(())
    })
}

async fn put_plain(shelf: web::Data<Shelf>, mut body: Payload) -> Replied {
    let mut file = File::create(shelf.draft(PLAIN))?;
    while let Some(bytes) = body.next().await {
        file.write_all(&bytes?)?;
    }
    shelf.publish(PLAIN, file).await?;
    Ok(HttpResponse::Ok().finish())
}

async fn put_sealed(shelf: web::Data<Shelf>, mut body: Payload) -> Replied {
    let mut file = File::create(shelf.draft(SEALED))?;
    let (mut md5, mut number) = (Md5::new(), 0);
    let mut frame = Vec::with_capacity(FRAME_BYTES + TAG_BYTES);
    while let Some(bytes) = body.next().await {
        let mut bytes = bytes?;
        while !bytes.is_empty() {
            let taken = bytes.split_to(bytes.len().min(FRAME_BYTES - frame.len()));
            frame.extend_from_slice(&taken);
            if frame.len() == FRAME_BYTES {
                shelf.seal(&mut md5, number, &mut frame, &mut file)?;
                number += 1;
            }
        }
    }
    shelf.seal(&mut md5, number, &mut frame, &mut file)?;
    shelf.publish(SEALED, file).await?;
    let tag = hex::encode(md5.finalize());
    Ok(HttpResponse::Ok().insert_header(("etag", format!("\"{tag}\""))).finish())
}

async fn get_plain(shelf: web::Data<Shelf>) -> Replied {
    let file = File::open(shelf.file(PLAIN))?;
    let size = file.metadata()?.len();
    let frames = stream::try_unfold(file, async |mut file| {
        let mut frame = Vec::with_capacity(FRAME_BYTES);
        (&mut file).take(FRAME_BYTES as u64).read_to_end(&mut frame)?;
        Ok::<_, std::io::Error>((!frame.is_empty()).then(|| (Bytes::from(frame), file)))
    });
    Ok(HttpResponse::Ok().body(SizedStream::new(size, Box::pin(frames))))
}

async fn get_sealed(shelf: web::Data<Shelf>) -> Replied {
    let file = File::open(shelf.file(SEALED))?;
    let sealed = file.metadata()?.len();
    let frames = sealed.div_ceil((FRAME_BYTES + TAG_BYTES) as u64);
    let size = sealed - frames * TAG_BYTES as u64;
    let frames = stream::try_unfold((file, 0_u64, shelf), async |(mut file, number, shelf)| {
        let mut frame = Vec::with_capacity(FRAME_BYTES + TAG_BYTES);
        (&mut file).take((FRAME_BYTES + TAG_BYTES) as u64).read_to_end(&mut frame)?;
        if frame.len() <= TAG_BYTES {
            return Ok::<_, std::io::Error>(None);
        }
        let opened = shelf.key.open_in_place(nonce(number), Aad::empty(), &mut frame).map_err(std::io::Error::other)?;
        let clear = opened.len();
        frame.truncate(clear);
        Ok(Some((Bytes::from(frame), (file, number + 1, shelf))))
    });
    Ok(HttpResponse::Ok().body(SizedStream::new(size, Box::pin(frames))))
}

/// How a handler ends.
type Replied = Result<HttpResponse, actix_web::Error>;

impl Shelf {
    fn file(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    fn draft(&self, path: &str) -> PathBuf {
        self.file(path).with_extension("new")
    }

    /// Syncs the file and gives it its name.
    async fn publish(&self, path: &str, file: File) -> std::io::Result<()> {
        let (draft, name) = (self.draft(path), self.file(path));
        let synced = web::block(move || {
            file.sync_all()?;
            std::fs::rename(draft, &name)?;
            File::open(name.parent().unwrap_or(Path::new("/")))?.sync_all()
        });
        synced.await.map_err(std::io::Error::other)?
    }

    /// Hashes, seals and writes a frame, and empties it.
    fn seal(&self, md5: &mut Md5, number: u64, frame: &mut Vec<u8>, file: &mut File) -> std::io::Result<()> {
        md5.update(&frame[..]);
        let sealed = self.key.seal_in_place_append_tag(nonce(number), Aad::empty(), frame);
        sealed.map_err(std::io::Error::other)?;
        file.write_all(frame)?;
        frame.clear();
        Ok(())
    }
}

/// Not a nonce for the world: all that is stored here is thrown away.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (to, from) in bytes.iter_mut().rev().zip(number.to_le_bytes()) {
        *to = from;
    }
    Nonce::assume_unique_for_key(bytes)
}
