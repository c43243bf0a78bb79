//! Frames on disk: what was written is read again, in any window, and nothing that was tampered with.

use std::io::Write;

use futures_util::TryStreamExt;
use proptest::prelude::*;

use super::*;
use crate::domain::time::Timestamp;

const DATA_KEY: [u8; 32] = [7; 32];

struct Shelf {
    folder: tempfile::TempDir,
    files: Arc<ObjectFiles>,
    bucket: BucketId,
}

impl Shelf {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(ObjectFiles::open(folder.path().to_owned()).unwrap());
        Self { folder, files, bucket: BucketId::from_random([1; 16]) }
    }

    fn put(&self, number: u8, clear: &[u8]) -> Blob {
        let id = BlobId::from_random([number; 16]);
        let key = FrameKey::derive(&DATA_KEY, self.bucket.as_bytes(), id.as_bytes()).unwrap();
        let (mut draft, mut file) = self.files.draft(id).unwrap();
        let count = frames::frames(clear.len() as u64);
        for frame in 0..count {
            let start = usize::try_from(frame).unwrap() * FRAME_BYTES;
            let mut bytes = clear[start..clear.len().min(start + FRAME_BYTES)].to_vec();
            let mark = if frame + 1 == count { Mark::Last } else { Mark::More };
            key.seal(frame, mark, &mut bytes).unwrap();
            file.write_all(&bytes).unwrap();
        }
        draft.publish(&file).unwrap();
        draft.keep();
        Blob {
            id,
            number: 1,
            size: clear.len() as u64,
            etag: String::new(),
            checksums: Vec::new(),
            modified_at: Timestamp::from_millis(0),
        }
    }

    fn get(&self, blobs: &[Blob], window: Option<Window>) -> Result<Vec<u8>, Error> {
        let reading = Reading {
            files: Arc::clone(&self.files),
            _lease: self.files.lease(),
            data_key: Arc::new(DataKey::new(DATA_KEY)),
            bucket: self.bucket,
            memory: Arc::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let body = open(reading, blobs, window).await?;
            let all: Vec<Bytes> = body.try_collect().await?;
            Ok(all.concat())
        })
    }

    fn path(&self, blob: &Blob) -> std::path::PathBuf {
        self.folder.path().join(blob.id.to_string())
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| u8::try_from((place / 7 + place / 65_536) % 251).unwrap()).collect()
}

#[test]
fn an_object_of_many_sizes_is_read_as_it_was_written() {
    let shelf = Shelf::new();
    let sizes = [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 4 * FRAME_BYTES, 9 * FRAME_BYTES + 5];
    for (number, size) in (0..).zip(sizes) {
        let clear = pattern(size);
        let blob = shelf.put(number, &clear);
        assert_eq!(std::fs::metadata(shelf.path(&blob)).unwrap().len(), frames::sealed_bytes(size as u64));
        assert!(shelf.get(&[blob], None).unwrap() == clear, "{size} bytes");
    }
}

#[test]
fn frames_that_were_swapped_cut_or_moved_are_not_read() {
    let shelf = Shelf::new();
    let blob = shelf.put(1, &pattern(3 * FRAME_BYTES));
    let good = std::fs::read(shelf.path(&blob)).unwrap();
    let (first, rest) = good.split_at(SEALED_FRAME_BYTES);
    let (second, third) = rest.split_at(SEALED_FRAME_BYTES);
    let other = shelf.put(2, &pattern(3 * FRAME_BYTES));
    let moved = std::fs::read(shelf.path(&other)).unwrap();
    for bad in [[second, first, third].concat(), [first, second].concat(), moved] {
        std::fs::write(shelf.path(&blob), bad).unwrap();
        assert!(matches!(shelf.get(std::slice::from_ref(&blob), None), Err(Error::Damaged(_))));
    }
    // A file cut at a frame's end, with a row that says so, lacks the mark of the last frame.
    std::fs::write(shelf.path(&blob), [first, second].concat()).unwrap();
    let cut = Blob { size: 2 * FRAME, ..blob };
    assert!(matches!(shelf.get(&[cut], None), Err(Error::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_window_over_several_files_is_exact(
        sizes in prop::collection::vec(0_usize..200_000, 1..4),
        ends in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let total: usize = sizes.iter().sum();
        prop_assume!(total > 0);
        let (one, other) = (ends.0.index(total), ends.1.index(total));
        let (first, last) = (one.min(other), one.max(other));
        let clear = pattern(total);
        let shelf = Shelf::new();
        let mut rest = clear.as_slice();
        let mut blobs = Vec::new();
        for (number, size) in (0..).zip(&sizes) {
            let (part, behind) = rest.split_at(*size);
            blobs.push(shelf.put(number, part));
            rest = behind;
        }
        let window = Window { first: first as u64, last: last as u64 };
        prop_assert!(shelf.get(&blobs, Some(window)).unwrap() == clear[first..=last]);
    }
}
