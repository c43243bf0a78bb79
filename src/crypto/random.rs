//! Random bytes: from the system, or for tests from a generator with a seed.

use std::cell::RefCell;
use std::sync::Mutex;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroize;

use crate::crypto::Error;

/// Bytes of an AES-GCM nonce.
pub(crate) const NONCE_BYTES: usize = 12;

/// Nonces that a thread draws from the system at once: a system call costs as much as five seals.
const NONCES_AT_ONCE: usize = 256;

/// Where random bytes come from.
pub(crate) enum Random {
    /// The operating system's generator.
    System(SystemRandom),
    /// ChaCha20 from a seed, for tests that compare whole replies.
    Seeded(Box<Mutex<ChaCha20Rng>>),
}

thread_local! {
    static NONCES: RefCell<NoncePool> = const { RefCell::new(NoncePool { bytes: Vec::new() }) };
}

/// Random bytes not handed out yet; each is handed out once.
struct NoncePool {
    bytes: Vec<u8>,
}

impl Random {
    /// The operating system's generator.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that opens the system's generator")]
    pub(crate) fn system() -> Self {
        Self::System(SystemRandom::new())
    }

    /// The same bytes for the same seed and start of the service on its data folder.
    pub(crate) fn seeded(seed: u64, start: u64) -> Self {
        let mut generator = ChaCha20Rng::seed_from_u64(seed);
        generator.set_stream(start);
        Self::Seeded(Box::new(Mutex::new(generator)))
    }

    /// Begins a seed's bytes anew; the system's stay what they are.
    #[cfg(test)]
    pub(crate) fn restart(&self, seed: u64) {
        if let Self::Seeded(generator) = self {
            *generator.lock().unwrap() = ChaCha20Rng::seed_from_u64(seed);
        }
    }

    /// Fills the slice.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(crate) fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::System(system) => system.fill(bytes).map_err(|_| Error::Refused("draw random bytes")),
            Self::Seeded(generator) => {
                generator.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(bytes);
                Ok(())
            }
        }
    }

    /// An array of random bytes.
    ///
    /// # Errors
    /// As [`Random::fill`].
    pub(crate) fn array<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Sixteen or twelve bytes for a request of the hot path, drawn from the system in bulk.
    ///
    /// # Errors
    /// As [`Random::fill`].
    pub(crate) fn pooled<const N: usize>(&self) -> Result<[u8; N], Error> {
        if matches!(self, Self::Seeded(_)) {
            return self.array();
        }
        NONCES.with_borrow_mut(|pool| pool.take(self))
    }
}

impl NoncePool {
    fn take<const N: usize>(&mut self, random: &Random) -> Result<[u8; N], Error> {
        if self.bytes.len() < N {
            self.bytes.resize(NONCES_AT_ONCE * NONCE_BYTES, 0);
            random.fill(&mut self.bytes)?;
        }
        let rest = self.bytes.len() - N;
        let taken = self.bytes.split_off(rest);
        <[u8; N]>::try_from(taken.as_slice()).map_err(|_| Error::Refused("draw random bytes"))
    }
}

impl Drop for NoncePool {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooled_bytes_are_never_handed_out_twice() {
        let random = Random::system();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            assert!(seen.insert(random.pooled::<12>().unwrap()));
        }
    }

    #[test]
    fn a_seed_gives_the_same_bytes_and_each_start_others() {
        let draw = |start| Random::seeded(7, start).array::<16>().unwrap();
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
    }
}
