//! A disk without room costs uploads and nothing else; deletions make room. Source: `docs/contract/reliability.md` T-07.

use std::path::Path;
use std::process::Command;

use rustix::process::{Resource, Rlimit, prlimit};

use crate::harness::gateway::element;
use crate::harness::program::Launch;
use crate::harness::raw::{Answer, Caller};

const MEBIBYTE: usize = 1024 * 1024;

#[track_caller]
fn answers(caller: &mut Caller, status: u16, method: &str, path: &str, body: &str) -> String {
    let answer = caller.call(method, path, body).expect("an answer");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, status, "{method} {path}: {text}");
    text
}

#[track_caller]
fn is_full(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!((answer.status, element(&text, "Code").as_deref()), (503, Some("ServiceUnavailable")), "{text}");
    assert!(answer.header("retry-after").is_some() && text.contains("room"), "{text}");
}

fn largest_file(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap_or_default()
}

#[test]
fn files_that_may_not_grow_cost_uploads_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // The signal that would end the program is ignored, so that it sees the error.
    let program = Launch::with_gateway_by_way_of(r#"trap "" XFSZ; exec "$@""#, &data).start();
    let mut caller = program.storage_caller();
    answers(&mut caller, 200, "PUT", "/shelf", "");
    answers(&mut caller, 200, "PUT", "/shelf/a", "old");
    let begun = answers(&mut caller, 200, "POST", "/shelf/parts?uploads", "");
    let upload = element(&begun, "UploadId").unwrap();
    let part = |number: u32| format!("/shelf/parts?partNumber={number}&uploadId={upload}");
    answers(&mut caller, 200, "PUT", &part(1), "first");
    let limit = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(program.pid()), Resource::Fsize, limit).expect("a limit");
    };
    let room = largest_file(&data) + 400_000;
    limit(Some(room));
    let big = "b".repeat(usize::try_from(room).unwrap() + MEBIBYTE);
    for path in ["/shelf/a", "/shelf/b", &part(1), &part(2)] {
        is_full(&caller.call("PUT", path, &big).expect("an answer"));
    }
    assert_eq!(answers(&mut caller, 200, "GET", "/shelf/a", ""), "old");
    assert_eq!(std::fs::read_dir(data.join("objects/new")).unwrap().count(), 0, "nothing is left over");
    let parts = answers(&mut caller, 200, "GET", &format!("/shelf/parts?uploadId={upload}"), "");
    assert_eq!((parts.matches("<Part>").count(), element(&parts, "Size").as_deref()), (1, Some("5")));
    answers(&mut caller, 200, "PUT", "/shelf/small", "small");
    limit(None);
    answers(&mut caller, 200, "PUT", "/shelf/b", &big);
    assert_eq!(answers(&mut caller, 200, "GET", "/shelf/b", "").len(), big.len());
    program.stop();
}

#[test]
fn a_full_file_system_takes_deletions_that_make_room() {
    let mounts = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        println!("not run: mounting is not allowed here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let place = mount.display();
    // In a mount namespace of its own, which goes with the process.
    let line = format!("exec unshare -m bash -c 'mount -t tmpfs -o size=16m tmpfs {place} && exec \"$@\"' bash \"$@\"");
    let program = Launch::with_gateway_by_way_of(&line, &mount.join("data")).start();
    let mut caller = program.storage_caller();
    answers(&mut caller, 200, "PUT", "/shelf", "");
    let mut stored = 0;
    for size in [MEBIBYTE, 64 * 1024, 4 * 1024] {
        let body = "x".repeat(size);
        stored += fill(&mut caller, &body, &format!("/shelf/{size}"));
    }
    assert!(stored > 8, "{stored} objects");
    let first = format!("/shelf/{MEBIBYTE}-0");
    assert_eq!(answers(&mut caller, 200, "GET", &first, "").len(), MEBIBYTE);
    answers(&mut caller, 204, "DELETE", &first, "");
    answers(&mut caller, 200, "PUT", &first, &"y".repeat(MEBIBYTE / 2));
    program.stop();
}

/// Uploads until there is no more room; how many were stored.
fn fill(caller: &mut Caller, body: &str, prefix: &str) -> usize {
    for number in 0..2_000 {
        let answer = caller.call("PUT", &format!("{prefix}-{number}"), body).expect("an answer");
        if answer.status != 200 {
            is_full(&answer);
            return number;
        }
    }
    panic!("it is never full");
}
