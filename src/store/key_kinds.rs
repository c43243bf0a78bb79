//! Kinds of keys: all that lists tell apart by yes and no. How many keys each kind has is known beforehand, and each index
//! of keys begins with the kind, so a condition that a kind settles costs nothing.

use crate::domain::access::Visible;
use crate::domain::filter::{DateProperty, DateTest, Term as FilterTerm};
use crate::domain::id::InstanceId;
use crate::domain::selection::Selection;
use crate::domain::sort::Property;
use crate::store::Error;
use crate::store::tx::Tx;

/// The number of destroyed keys' state.
const DESTROYED: u8 = 5;

/// The column `kind` of a key: state · 16 + extractable · 8 + imported · 4 + expires · 2 + was rotated · 1. A check in the
/// schema sees to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind(u8);

impl Kind {
    /// All that can be.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [1, 2, 3, DESTROYED].into_iter().flat_map(|state: u8| (state * 16..(state + 1) * 16).map(Self))
    }

    /// As the column has it.
    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// What a property is that all keys of a kind share; `None` for one that they don't.
    pub(crate) fn shared(self, property: Property) -> Option<u8> {
        match property {
            Property::State => Some(self.state()),
            Property::Extractable => Some(u8::from(self.extractable())),
            Property::Imported => Some(u8::from(self.0 & 4 != 0)),
            Property::Id
            | Property::CreationDate
            | Property::LastUpdateDate
            | Property::LastRotateDate
            | Property::DeletionDate
            | Property::ExpirationDate => None,
        }
    }

    /// True when its keys have the date.
    pub(crate) fn has(self, date: DateProperty) -> bool {
        match date {
            DateProperty::Creation | DateProperty::LastUpdate => true,
            DateProperty::Deletion => self.state() == DESTROYED,
            DateProperty::Expiration => self.0 & 2 != 0,
            DateProperty::LastRotate => self.0 & 1 != 0,
        }
    }

    /// True when keys of it may be meant.
    pub(crate) fn is_meant(self, selection: &Selection) -> bool {
        let mut asked_for_state = selection.states.is_some();
        let mut meant = selection.states.as_ref().is_none_or(|states| states.contains(&self.state()))
            && selection.extractable.is_none_or(|extractable| extractable == self.extractable());
        for term in &selection.filter {
            meant &= match term {
                FilterTerm::Extractable(extractable) => *extractable == self.extractable(),
                FilterTerm::State(states) => {
                    asked_for_state = true;
                    states.contains(&self.state())
                }
                FilterTerm::Date(date, DateTest::None) => !self.has(*date),
                FilterTerm::Date(date, _) => self.has(*date),
            };
        }
        meant && (asked_for_state || self.state() != DESTROYED)
    }

    fn state(self) -> u8 {
        self.0 / 16
    }

    fn extractable(self) -> bool {
        self.0 & 8 != 0
    }
}

/// Keys of one kind in one ring.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) ring: String,
    pub(crate) kind: Kind,
    pub(crate) keys: i64,
}

/// The groups of an instance whose kinds are meant, whatever their rings.
///
/// # Errors
/// The store's.
pub(crate) fn groups(tx: &Tx<'_>, instance: InstanceId, selection: &Selection) -> Result<Vec<Group>, Error> {
    let mut statement = tx.prepare("SELECT ring_id, kind, keys FROM key_counts WHERE instance_id = ?1 AND keys > 0")?;
    let rows = statement.query_map([instance.to_string()], |row| {
        Ok(Group { ring: row.get(0)?, kind: Kind(row.get(1)?), keys: row.get(2)? })
    })?;
    let mut groups = rows.collect::<Result<Vec<_>, _>>()?;
    groups.retain(|group| group.kind.is_meant(selection));
    Ok(groups)
}

/// True when a key that is meant may lie in the ring.
pub(crate) fn is_ring_meant(selection: &Selection, ring: &str) -> bool {
    let asked_for = selection.ring.as_ref().is_none_or(|wanted| wanted.text() == ring);
    asked_for
        && match &selection.visible {
            Visible::All => true,
            Visible::Some(parts) => parts.iter().any(|part| part.ring.as_ref().is_none_or(|wanted| wanted.fits(ring))),
        }
}

/// True when nobody is limited to some keys of a ring.
pub(crate) fn are_rings_whole(selection: &Selection) -> bool {
    match &selection.visible {
        Visible::All => true,
        Visible::Some(parts) => parts.iter().all(|part| part.key.is_none()),
    }
}

/// What all conditions on a date leave of it, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) date: DateProperty,
    pub(crate) least: i64,
    pub(crate) most: i64,
}

/// The ranges of dates that are asked for, one for each date.
pub(crate) fn ranges(selection: &Selection) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for term in &selection.filter {
        let FilterTerm::Date(date, test) = term else { continue };
        let (least, most) = match test {
            DateTest::None => continue,
            DateTest::Equal(Some(millis)) => (*millis, *millis),
            DateTest::Equal(None) => (i64::MAX, i64::MIN),
            DateTest::AtMost(millis) => (i64::MIN, *millis),
            DateTest::AtLeast(millis) => (*millis, i64::MAX),
        };
        if let Some(known) = ranges.iter_mut().find(|range| range.date == *date) {
            (known.least, known.most) = (known.least.max(least), known.most.min(most));
        } else {
            ranges.push(Range { date: *date, least, most });
        }
    }
    ranges
}
