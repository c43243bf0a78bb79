//! Objects that KMIP clients make. Their states are those of the KMIP specification 1.4, 3.22.

use crate::domain::force::Force;
use crate::domain::id::ObjectId;
use crate::domain::kmip::Mark;
use crate::domain::kmip::refusal::Refusal;

/// The only type there is: symmetric key. Source: API reference.
pub(crate) const SYMMETRIC_KEY: u8 = 2;

/// The state of an object. Numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectState {
    PreActive,
    Active,
    Deactivated,
    Compromised,
    Destroyed,
    DestroyedCompromised,
}

impl ObjectState {
    /// Those that a list shows where nobody asked. Source: API reference.
    pub(crate) const LIVING: [Self; 4] = [Self::PreActive, Self::Active, Self::Deactivated, Self::Compromised];

    /// The wire's number. Source: API reference.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::PreActive => 1,
            Self::Active => 2,
            Self::Deactivated => 3,
            Self::Compromised => 4,
            Self::Destroyed => 5,
            Self::DestroyedCompromised => 6,
        }
    }

    /// The state of a number.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::PreActive),
            2 => Some(Self::Active),
            3 => Some(Self::Deactivated),
            4 => Some(Self::Compromised),
            5 => Some(Self::Destroyed),
            6 => Some(Self::DestroyedCompromised),
            _ => None,
        }
    }

    /// True when there is no key material left.
    pub(crate) fn is_destroyed(self) -> bool {
        match self {
            Self::PreActive | Self::Active | Self::Deactivated | Self::Compromised => false,
            Self::Destroyed | Self::DestroyedCompromised => true,
        }
    }

    /// What deletion makes of the state.
    ///
    /// # Errors
    /// `ObjectActive` for an active one, unless forced; `ObjectDeleted` for a destroyed one (ASSUMED).
    ///
    /// Source: docs, kmip; Python SDK for `force`; that a compromised one stays so is ASSUMED.
    pub(crate) fn destroy(self, force: Force) -> Result<Self, Refusal> {
        match self {
            Self::PreActive | Self::Deactivated => Ok(Self::Destroyed),
            Self::Active => match force {
                Force::Yes => Ok(Self::Destroyed),
                Force::No => Err(Refusal::ObjectActive),
            },
            Self::Compromised => Ok(Self::DestroyedCompromised),
            Self::Destroyed | Self::DestroyedCompromised => Err(Refusal::ObjectDeleted),
        }
    }
}

/// An object, without its key material: that is not to be had by REST, and there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    pub(crate) state: ObjectState,
    pub(crate) created: Mark,
    pub(crate) updated: Mark,
    pub(crate) destroyed: Option<Mark>,
}

impl Object {
    /// Destroys the object.
    ///
    /// # Errors
    /// As [`ObjectState::destroy`].
    pub(crate) fn destroy(&mut self, force: Force, mark: &Mark) -> Result<(), Refusal> {
        self.state = self.state.destroy(force)?;
        self.updated = mark.clone();
        self.destroyed = Some(mark.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_answers_to_deletion() {
        let active = Err(Refusal::ObjectActive);
        let table = [
            (1, Ok(5), Ok(5)),
            (2, active, Ok(5)),
            (3, Ok(5), Ok(5)),
            (4, Ok(6), Ok(6)),
            (5, Err(Refusal::ObjectDeleted), Err(Refusal::ObjectDeleted)),
            (6, Err(Refusal::ObjectDeleted), Err(Refusal::ObjectDeleted)),
        ];
        for (number, plain, forced) in table {
            let state = ObjectState::of_number(number).unwrap();
            assert_eq!(state.number(), number);
            assert_eq!(state.destroy(Force::No).map(ObjectState::number), plain, "{number}");
            assert_eq!(state.destroy(Force::Yes).map(ObjectState::number), forced, "{number}");
            assert_eq!(ObjectState::LIVING.contains(&state), !state.is_destroyed());
        }
        assert_eq!(ObjectState::of_number(0), None);
        assert_eq!(ObjectState::of_number(7), None);
    }
}
